#!/bin/bash
# nginx 1.22 with nothing but proxy_pass holds a stream of small events to its end. That looks like proxy_buffering, but
# `proxy_http_version 1.1;` alone mends it, buffering still on: a chunked body is passed on chunk by chunk, and only what an upstream
# frames by closing (to which HTTP/1.0, the default towards upstreams, forces it) is gathered.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
chmod 755 "$folder"
cd "$folder"
# As Debian 12 ships it, unpacked here; nothing is installed on the machine.
if ! apt-get download nginx=1.22.1-9+deb12u9 > log 2>&1; then
    cat log >&2; echo "needs the package lists of Debian 12: apt-get update" >&2; exit 2
fi
for package in *.deb; do dpkg-deb -x "$package" tree; done
LD_LIBRARY_PATH=$(echo "$folder"/tree/usr/lib/*-linux-gnu); export LD_LIBRARY_PATH
nginx=$folder/tree/usr/sbin/nginx
version=$("$nginx" -v 2>&1)
echo "$version"
[ "$version" = "nginx version: nginx/1.22.1" ] || { echo "another version" >&2; exit 1; }
FOLDER=$folder NGINX=$nginx python3 - <<'END'
import http.server, os, socket, subprocess, threading, time, urllib.request

class Events(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        chunked = self.request_version == "HTTP/1.1"
        self.send_header("Transfer-Encoding" if chunked else "Connection", "chunked" if chunked else "close")
        self.end_headers()
        for number in range(10):
            event = b"data: %d\n\n" % number
            self.wfile.write(b"%x\r\n%b\r\n" % (len(event), event) if chunked else event)
            time.sleep(0.15)
        self.wfile.write(b"0\r\n\r\n" if chunked else b"")
        self.close_connection = True
    def log_message(self, *_):
        pass

upstream = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Events)
threading.Thread(target=upstream.serve_forever, daemon=True).start()

def first_and_last(lines):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    folder = os.environ["FOLDER"]
    temporary = "".join(f"{name}_temp_path {folder}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    with open(f"{folder}/conf", "w") as conf:
        conf.write(f"daemon off; pid {folder}/pid; error_log {folder}/log; events {{}} http {{ access_log off; {temporary}"
                   f"server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://127.0.0.1:{upstream.server_port}; {lines} }} }} }}")
    process = subprocess.Popen([os.environ["NGINX"], "-c", f"{folder}/conf", "-p", folder], stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            try:
                began = time.monotonic()
                answer = urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=20)
                break
            except OSError:
                time.sleep(0.05)
        first = None
        while answer.read1(65536):
            first = first or time.monotonic() - began
        return first, time.monotonic() - began
    finally:
        process.terminate()
        process.wait()

for lines, held in (("", True), ("proxy_http_version 1.1;", False), ("proxy_buffering off;", False)):
    first, last = first_and_last(lines)
    print(f"proxy_pass + {lines or 'nothing':26} first byte of the body after {first:.2f} s, end after {last:.2f} s")
    assert (first > last * 0.6) == held, "the behaviour has changed"
print("as described")
END
