"""`modelwright serve --reload`: what an author changed, and what it takes to serve it."""
