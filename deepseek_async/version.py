"""The version, in the one place that the build reads too.

A constant rather than a question to `importlib.metadata`, which takes as long to import as all of our wire types.
"""

__version__ = "0.1.0"
