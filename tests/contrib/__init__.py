"""Tests of `deepseek_async.contrib`."""
