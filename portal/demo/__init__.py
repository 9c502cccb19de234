"""A believable company to look at: its world, the office that keeps its books, and the processes that show it."""
