"""What a client has besides ``chat``: fill in the middle, files, models, the account."""
