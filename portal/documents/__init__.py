"""What can be kept: an invoice as the customer may see it, and the formats she can take it away in."""
