"""``deepseek-async``: the shell command. Answers go to stdout; everything said about them goes to stderr.

| exit code | |
| --- | --- |
| 0 | done |
| 1 | it failed; one line on stderr says what and what to do |
| 2 | wrong usage: an option, a parameter out of range, no key |
| 130 | stopped by Ctrl-C |
"""
