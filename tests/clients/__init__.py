"""Other people's clients against the sandbox, each in an environment of its own: `make test-clients`."""
