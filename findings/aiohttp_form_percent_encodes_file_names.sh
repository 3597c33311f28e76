#!/bin/bash
# aiohttp's client percent-encodes the name of a file in a form: "a b.png" arrives as "a%20b.png", "é.png" as "%C3%A9.png". RFC 7578
# (section 2) allows that, but browsers (WHATWG HTML, "multipart/form-data encoding algorithm") and httpx send UTF-8 as it is and escape
# only quotes and line ends, and servers take the name as it comes: what aiohttp uploads has another name than by anything else.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/v"
"$folder/v/bin/pip" install -q aiohttp==3.14.1 httpx==0.28.1 python-multipart==0.0.20 || exit 2
cat > "$folder/ask.py" <<'END'
import asyncio, http.server, threading
from importlib.metadata import version

import aiohttp, httpx
from python_multipart.multipart import parse_options_header

heads = []

class Server(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        head = next(line for line in body.split(b"\r\n") if b"filename" in line)
        heads.append(head.split(b": ", 1)[1])
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()
    def log_message(self, *_):
        pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
url, name = f"http://127.0.0.1:{server.server_port}/", "a b é.png"

async def by_aiohttp():
    form = aiohttp.FormData()
    form.add_field("file", b"content", filename=name)
    async with aiohttp.ClientSession() as session:
        async with session.post(url, data=form):
            pass

asyncio.run(by_aiohttp())
httpx.post(url, files={"file": (name, b"content")})
read = [parse_options_header(head)[1][b"filename"].decode() for head in heads]
for package, head, seen in zip(("aiohttp", "httpx"), heads, read):
    print(package, version(package), "sends", head.decode(), "| python-multipart reads", repr(seen))
assert read[0] == "a%20b%20%C3%A9.png" and read[1] == name, "the behaviour has changed"
print("as described")
END
"$folder/v/bin/python" "$folder/ask.py"
