"""Files in and out: the only place that parses or writes them."""
