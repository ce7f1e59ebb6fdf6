"""One script per promise of speed."""
