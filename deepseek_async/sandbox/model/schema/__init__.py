"""JSON by a schema: read, drawn and written token by token."""
