"""The constellation: element sets, shells, propagation, who is in service."""
