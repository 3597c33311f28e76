"""Real proxies from Debian's packages in front of the sandbox: `make test-proxies`."""
