"""The client among everything that can go wrong between it and its server, drawn at random from a seed."""
