"""What is asked: bodies read, checked and refused."""
