"""What is sent next, and what follows from how it ended."""
