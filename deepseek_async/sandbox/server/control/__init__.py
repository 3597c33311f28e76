"""What a test or a person sees of the server from outside: its own paths, its description, its page."""
