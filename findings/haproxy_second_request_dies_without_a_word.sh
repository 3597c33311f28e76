#!/bin/bash
# HAProxy 2.6 answers 502 where a server takes a request and dies without an answer, but only if it was the first request on the client's
# connection. For any later one it closes the client's connection without a byte, so that the client may send again: a reused
# connection that ends without an answer does not mean that nobody has read the request.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
chmod 755 "$folder"
cd "$folder"
# As Debian 12 ships it, unpacked here; nothing is installed on the machine.
if ! apt-get download haproxy=2.6.12-1+deb12u3 liblua5.3-0=5.3.6-2 libopentracing-c-wrapper0=1.1.3-3+b1 libopentracing1=1.6.0-4 > log 2>&1; then
    cat log >&2; echo "needs the package lists of Debian 12: apt-get update" >&2; exit 2
fi
for package in *.deb; do dpkg-deb -x "$package" tree; done
LD_LIBRARY_PATH=$(echo "$folder"/tree/usr/lib/*-linux-gnu); export LD_LIBRARY_PATH
haproxy=$folder/tree/usr/sbin/haproxy
version=$("$haproxy" -v | sed -n 1p)
echo "$version"
[[ $version == *" 2.6.12-1+deb12u3 "* ]] || { echo "another version" >&2; exit 1; }
FOLDER=$folder HAPROXY=$haproxy python3 - <<'END'
import os, socket, subprocess, threading, time

read = []

def serve(listening):
    while True:
        connection, _ = listening.accept()
        threading.Thread(target=answer, args=(connection,), daemon=True).start()

def answer(connection):
    while data := connection.recv(65536):
        read.append(data.split()[1].decode())
        if data.startswith(b"GET /die"):
            time.sleep(1)
            connection.close()
            return
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

upstream = socket.create_server(("127.0.0.1", 0))
threading.Thread(target=serve, args=(upstream,), daemon=True).start()
with socket.create_server(("127.0.0.1", 0)) as free:
    port = free.getsockname()[1]
with open(os.environ["FOLDER"] + "/conf", "w") as conf:
    conf.write(f"""defaults
    mode http
    timeout connect 3s
    timeout client 30s
    timeout server 30s
frontend in
    bind 127.0.0.1:{port}
    default_backend out
backend out
    server one 127.0.0.1:{upstream.getsockname()[1]}
""")
process = subprocess.Popen([os.environ["HAPROXY"], "-f", os.environ["FOLDER"] + "/conf", "-db"], stderr=subprocess.DEVNULL)

def get(connection, path):
    connection.sendall(b"GET %b HTTP/1.1\r\nHost: x\r\n\r\n" % path)
    return connection.recv(65536)

def connected():
    for _ in range(100):
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=20)
        except OSError:
            time.sleep(0.05)

try:
    first = get(connected(), b"/die")
    kept = connected()
    assert b"200 OK" in get(kept, b"/live")
    later = get(kept, b"/die")
finally:
    process.terminate()
    process.wait()
print("first request of a connection:", first.partition(b"\r\n")[0].decode())
print("a later one:", later or "closed without a byte")
print("the server has read:", read)
assert b"502" in first and later == b"" and read.count("/die") == 2, "the behaviour has changed"
print("as described")
END
