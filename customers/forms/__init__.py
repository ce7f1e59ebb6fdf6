"""The forms of customers, by concept."""
