"""Every way to read an answer and to give it up, through every fault of a network, drawn at random from a seed.

`tests.chaos` has the faults of answers on their way; here the caller breaks off, too: leaves, closes from another task,
is cancelled at any await, drops the stream.
"""
