"""The map of a forecast as a picture."""
