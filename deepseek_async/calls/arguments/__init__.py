"""What callers give: to a client, to a call; by which names, and within which bounds."""
