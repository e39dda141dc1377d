"""Downloads, with their cache and manners."""
