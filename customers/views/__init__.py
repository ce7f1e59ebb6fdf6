"""The pages of customers, by concept."""
