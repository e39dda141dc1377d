"""What the entries of the record mean: who may decide, what was decided, and what is in force."""
