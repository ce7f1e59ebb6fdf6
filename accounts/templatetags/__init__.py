"""Template filters of the customer file."""
