"""Real servers with a real model, on this machine's CPU: `make test-servers`."""
