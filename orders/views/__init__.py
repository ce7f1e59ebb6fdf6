"""The pages of orders, prices and money."""
