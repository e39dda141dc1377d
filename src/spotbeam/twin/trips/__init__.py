"""A terminal that moves: serving satellite, delay and verdict, second by second."""
