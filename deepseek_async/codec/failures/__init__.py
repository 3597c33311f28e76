"""Failures: what statuses, bodies and words inside an answer mean, and what must not be shown of them."""
