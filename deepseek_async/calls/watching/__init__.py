"""What hooks and the log are told of a call; loaded by the first call that anybody watches."""
