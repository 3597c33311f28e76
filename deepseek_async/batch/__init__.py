"""Many requests: as many in flight as the account allows, outcomes as values, a journal to resume from."""
