"""JSON → values: by the documented shapes, by learned ones, leniently; other servers' habits."""
