"""The pages of tiers, by concept."""
