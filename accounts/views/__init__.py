"""The pages of accounts, split by what they are about."""
