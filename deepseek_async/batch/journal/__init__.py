"""The output file as a journal: appended to, read again, resumed from."""
