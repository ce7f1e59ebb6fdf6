"""The customer file."""
