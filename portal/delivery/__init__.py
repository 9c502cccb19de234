"""What leaves the house, and what happens there by itself."""
