"""The network over a sky: which satellites are linked, which ground they reach, which way to go."""
