"""Types as they stand in a program → what they say about JSON."""
