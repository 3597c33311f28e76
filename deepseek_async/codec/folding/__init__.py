"""What the folds of both endpoints are made of, a rule each: calls, usage, tokens, fields that nobody knows."""
