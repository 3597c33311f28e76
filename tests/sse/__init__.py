"""Tests of `deepseek_async.sse`."""
