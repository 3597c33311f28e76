#!/bin/bash
# vcrpy records a streamed answer by reading all of it before the caller gets its first byte, and gives it out as one piece, then and when
# it is replayed. A test of a chat that is recorded with it never sees an answer grow, a consumer that stops after the first words still
# has the server write all of them, and a deadline between two chunks cannot be tested.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/v"
"$folder/v/bin/pip" install -q vcrpy==9.4.2 httpx==0.28.1 aiohttp==3.14.5 || exit 2
"$folder/v/bin/python" - "$folder" <<'END'
import asyncio, contextlib, http.server, sys, threading, time
from importlib.metadata import version

import aiohttp, httpx, vcr

written = []

class Server(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        for number in range(5):
            self.wfile.write(b"data: %d\n\n" % number)
            written.append(number)
            time.sleep(0.2)
    def log_message(self, *_):
        pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}/"

async def by_aiohttp():
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        async for piece in response.content.iter_any():
            yield piece

async def by_httpx():
    async with httpx.AsyncClient() as client, client.stream("GET", url) as response:
        async for piece in response.aiter_bytes():
            yield piece

async def look(pieces):
    written.clear()
    at_first, count = None, 0
    async for _ in pieces:
        at_first, count = len(written) if at_first is None else at_first, count + 1
    return at_first, count

print("vcrpy", version("vcrpy"))
for name, ask in (("aiohttp", by_aiohttp), ("httpx", by_httpx)):
    seen = {}
    for way in ("plain", "recorded", "replayed"):
        with contextlib.nullcontext() if way == "plain" else vcr.use_cassette(f"{sys.argv[1]}/{name}.yaml"):
            seen[way] = asyncio.run(look(ask()))
    print(f"{name}: (events that the server had written when the first piece came, pieces)", seen)
    assert seen["plain"][0] <= 2 and seen["plain"][1] >= 4
    assert (seen["recorded"], seen["replayed"]) == ((5, 1), (0, 1)), "the behaviour has changed"
END
