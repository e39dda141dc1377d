"""What people look at: the map of a forecast, and its report."""
