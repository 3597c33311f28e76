"""What a client counts, and what hooks and the log are told of a call, loaded by the first that anybody watches."""
