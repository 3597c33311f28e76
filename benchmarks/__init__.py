"""How much CPU and memory an answer costs, side by side with the other ways to get it: ``make bench``.

One process replays prebuilt bytes (`replay`), and one process for each contestant reads them (`worker`), so that no
contestant's imports or garbage weigh on another's figures. Rounds are interleaved: every contestant has its turn before
any has its next (`rounds`). What counts is the CPU time of the reading process, user and system.
"""
