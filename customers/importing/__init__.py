"""Customers that come in as a file: reading it, looking at every row, writing, taking back (P7)."""
