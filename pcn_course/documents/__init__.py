"""What a student takes away: the plan on one page, the whole reflection, tables and a graph.

All of it is made from answers (``values``, by step name and key) and needs no Jupyter to be read.
"""

from pcn_course.documents.html import document_html, plan_html
from pcn_course.documents.network_files import graphml, members_csv, ties_csv
from pcn_course.documents.word import word_document

__all__ = ["document_html", "graphml", "members_csv", "plan_html", "ties_csv", "word_document"]
