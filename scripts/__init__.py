"""What the Makefile calls; no part of the product imports it."""
