"""Experimental: a class in pods on Kubernetes. No part of it has run on a cluster."""
