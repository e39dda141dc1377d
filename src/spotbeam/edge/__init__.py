"""The edge: follows a record, believes nobody, and answers who is served."""
