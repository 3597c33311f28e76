#!/bin/bash
# Caddy 2.6 ends a chunked answer in form (with its last chunk) when the server behind it dies in the middle of the body: the client's
# HTTP library sees a complete response. Only what the body itself says of its end tells a cut answer from a whole one.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
chmod 755 "$folder"
cd "$folder"
# As Debian 12 ships it, unpacked here; nothing is installed on the machine.
if ! apt-get download caddy=2.6.2-5 > log 2>&1; then
    cat log >&2; echo "needs the package lists of Debian 12: apt-get update" >&2; exit 2
fi
for package in *.deb; do dpkg-deb -x "$package" tree; done
LD_LIBRARY_PATH=$(echo "$folder"/tree/usr/lib/*-linux-gnu); export LD_LIBRARY_PATH
caddy=$folder/tree/usr/bin/caddy
version=$("$caddy" version)
echo "caddy $version"
[ "${version%% *}" = 2.6.2 ] || { echo "another version" >&2; exit 1; }
FOLDER=$folder CADDY=$caddy python3 - <<'END'
import os, socket, struct, subprocess, threading, time, urllib.request

def serve(listening):
    while True:
        connection, _ = listening.accept()
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
        connection.sendall(b'12\r\n{"answer": "half a\r\n')
        time.sleep(0.3)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()

upstream = socket.create_server(("127.0.0.1", 0))
threading.Thread(target=serve, args=(upstream,), daemon=True).start()
with socket.create_server(("127.0.0.1", 0)) as free:
    port = free.getsockname()[1]
with open(os.environ["FOLDER"] + "/conf", "w") as conf:
    conf.write("{\n admin off\n auto_https off\n}\n:%d {\n bind 127.0.0.1\n reverse_proxy 127.0.0.1:%d\n}\n" % (port, upstream.getsockname()[1]))
environment = {**os.environ, "HOME": os.environ["FOLDER"], "XDG_CONFIG_HOME": os.environ["FOLDER"], "XDG_DATA_HOME": os.environ["FOLDER"]}
process = subprocess.Popen([os.environ["CADDY"], "run", "--config", os.environ["FOLDER"] + "/conf", "--adapter", "caddyfile"],
                           env=environment, stderr=subprocess.DEVNULL)
direct = through = None
try:
    for _ in range(100):
        try:
            answer = urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=20)
            break
        except OSError:
            time.sleep(0.05)
    through = answer.read()
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{upstream.getsockname()[1]}/", timeout=20).read()
    except Exception as error:
        direct = error
finally:
    process.terminate()
    process.wait()
print("straight from the server:", type(direct).__name__)
print("through caddy: a complete response,", through)
assert direct is not None and through == b'{"answer": "half a', "the behaviour has changed"
print("as described")
END
