"""The server: connections, clocks, counts, and who is let in."""
