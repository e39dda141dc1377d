"""The public page: what is on and off, since when, by whose decision, and how to check it."""
