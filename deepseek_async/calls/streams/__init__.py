"""What a stream that is read consists of besides its loop: ways to read it, and its continuation."""
