"""What a plan is made of: requests of people, tools, the week, and the panels that show them."""
