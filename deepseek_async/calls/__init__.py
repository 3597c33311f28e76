"""The client: calls, their attempts and deadlines, and the streams a caller reads."""
