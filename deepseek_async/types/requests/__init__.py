"""Requests: their parameters, and the range of each."""
