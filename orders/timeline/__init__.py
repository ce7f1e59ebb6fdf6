"""What orders and payments tell on the customer's timeline."""
