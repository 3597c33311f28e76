"""Real exchanges in a readable file, and played from it again.

| module | holds |
| --- | --- |
| `exchange` | what the file looks like: JSON Lines, an exchange a line |
| `recorder` | a transport that writes down what passes through it |
| `replayer` | a transport that answers from a recording |
| `once` | a transport that does both: what the recording lacks is asked once, and written down |
"""
