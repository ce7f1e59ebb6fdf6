"""What dealers have in stock, judged: movements, safety stock, what moves slowly (P23, P24)."""
