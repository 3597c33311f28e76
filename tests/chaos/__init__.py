"""Every way to read an answer and to give it up, through every fault of a network, drawn at random from a seed.

The network cuts, resets, stalls, delays, splits, comments and lies about lengths; the caller leaves, closes from
another task, is cancelled at any await, drops the stream.
"""
