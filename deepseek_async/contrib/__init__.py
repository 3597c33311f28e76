"""Adapters for other people's tools: one file for each optional dependency, which it alone imports."""
