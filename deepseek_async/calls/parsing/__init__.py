"""Answers of a given type: asked for, read, and asked for again with what was wrong, within a bound."""
