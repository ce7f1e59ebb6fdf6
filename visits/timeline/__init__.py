"""What visits, information and suggestions tell on the customer's timeline."""
