#!/bin/bash
# aiohttp sends a GET again by itself if the kept connection that it reused breaks before an answer, however long the server had worked
# on it: one `session.get` is two requests, no option says so, and a trace of the session starts one request. A POST is not repeated:
# its caller gets ServerDisconnectedError.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/v"
"$folder/v/bin/pip" install -q aiohttp==3.14.5
"$folder/v/bin/python" - <<'END'
import asyncio
from importlib.metadata import version

import aiohttp

read, started = [], []

async def serve(reader, writer):
    for number in range(1, 10):
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            break
        method, path = head.split()[:2]
        read.append(f"{method.decode()} {path.decode()}")
        if path == b"/work" and number == 2:  # the second request of a connection: a second of work, and the server is gone
            await asyncio.sleep(1)
            break
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    writer.close()

async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = "http://127.0.0.1:%d" % server.sockets[0].getsockname()[1]
    trace = aiohttp.TraceConfig()
    async def note(session, context, parameters):
        started.append(f"{parameters.method} {parameters.url.path}")
    trace.on_request_start.append(note)
    ends = {}
    for method in ("GET", "POST"):
        read.clear(), started.clear()
        async with aiohttp.ClientSession(trace_configs=[trace]) as session:
            await (await session.get(url + "/")).read()
            try:
                ends[method] = (await session.request(method, url + "/work")).status
            except aiohttp.ClientError as error:
                ends[method] = type(error).__name__
            ends[method] = ends[method], started.count(method + " /work"), read.count(method + " /work")
        print(f"{method}: {ends[method][0]}; requests by the trace: {ends[method][1]}, read by the server: {ends[method][2]}")
    return ends

print("aiohttp", version("aiohttp"))
ends = asyncio.run(main())
assert ends == {"GET": (200, 1, 2), "POST": ("ServerDisconnectedError", 1, 1)}, "the behaviour has changed"
print("as described")
END
