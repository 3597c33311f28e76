"""A dialogue that keeps its own history."""
