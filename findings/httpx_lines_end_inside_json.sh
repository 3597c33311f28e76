#!/bin/bash
# httpx's iter_lines (and aiter_lines) ends a line where str.splitlines does: at U+2028, U+2029, U+0085 and control characters too. JSON
# may hold the first three as they are, and servers such as vLLM send them so. A loop that reads an event stream by lines, as many
# programs do, gets half a JSON text for a token with one of them. requests does the same with decode_unicode=True and not without it;
# aiohttp and the event stream standard know CR and LF only.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/v"
"$folder/v/bin/pip" install -q httpx==0.28.1 requests==2.32.5 aiohttp==3.14.5 || exit 2
"$folder/v/bin/python" - <<'END'
import asyncio, http.server, json, threading
from importlib.metadata import version

import aiohttp, httpx, requests

odd = ""

class Server(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("content-type", "text/event-stream; charset=utf-8")
        self.end_headers()
        line = json.dumps({"choices": [{"index": 0, "delta": {"content": f"one{odd}two"}}]}, ensure_ascii=False)
        self.wfile.write(f"data: {line}\n\n".encode())
    def log_message(self, *_):
        pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}"

def read(lines):
    try:
        return "".join(json.loads(line[6:])["choices"][0]["delta"]["content"] for line in lines if line.startswith("data: "))
    except json.JSONDecodeError as error:
        return f"{type(error).__name__}: {error.msg}"

def by_httpx():
    with httpx.stream("GET", url) as response:
        return read(response.iter_lines())

def by_requests(decode_unicode):
    with requests.get(url, stream=True) as response:
        lines = response.iter_lines(decode_unicode=decode_unicode)
        return read(line if decode_unicode else line.decode() for line in lines)

async def by_aiohttp():
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        return read([line.decode() async for line in response.content])

print(*(f"{name} {version(name)}" for name in ("httpx", "requests", "aiohttp")))
for odd in ("\u2028", "\u2029", "\x85"):
    said = {"httpx": by_httpx(), "requests": by_requests(False), "requests, decode_unicode": by_requests(True), "aiohttp": asyncio.run(by_aiohttp())}
    print(f"U+{ord(odd):04X}:", {name: ascii(text) for name, text in said.items()})
    broken = [name for name, text in said.items() if text != f"one{odd}two"]
    assert broken == ["httpx", "requests, decode_unicode"], "the behaviour has changed"
END
