"""What to play: scripts and faults as values, and the actions that they become."""
