"""Products, orders and their sync."""
