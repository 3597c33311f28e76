"""What calls and streams consist of besides their loops: ways to read, continuations, estimates, concealment."""
