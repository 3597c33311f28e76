"""What is answered: said token by token, and written in the shapes of the wire."""
