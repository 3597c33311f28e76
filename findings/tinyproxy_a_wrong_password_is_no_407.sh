#!/bin/bash
# tinyproxy answers a request without a password as HTTP wants it, 407 with Proxy-Authenticate. A wrong password it answers with 401 and
# WWW-Authenticate, the words of a server: through plain http a client thinks that the API has refused its key, and code that looks for
# 407 to ask for the proxy's password again does not see it.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
chmod 755 "$folder"
cd "$folder"
# As Debian 12 ships it, unpacked here; nothing is installed on the machine.
if ! apt-get download tinyproxy-bin=1.11.1-2.1+deb12u1 > log 2>&1; then
    cat log >&2; echo "needs the package lists of Debian 12: apt-get update" >&2; exit 2
fi
for package in *.deb; do dpkg-deb -x "$package" tree; done
tinyproxy=$folder/tree/usr/bin/tinyproxy
version=$("$tinyproxy" -v)
echo "$version"
[ "$version" = "tinyproxy 1.11.1" ] || { echo "another version" >&2; exit 1; }
FOLDER=$folder TINYPROXY=$tinyproxy python3 - <<'END'
import base64, http.client, os, socket, subprocess, time

with socket.create_server(("127.0.0.1", 0)) as free:
    port = free.getsockname()[1]
with open(os.environ["FOLDER"] + "/conf", "w") as conf:
    conf.write(f"Port {port}\nListen 127.0.0.1\nTimeout 30\nBasicAuth ann right\n" + ("User nobody\n" if os.geteuid() == 0 else ""))
process = subprocess.Popen([os.environ["TINYPROXY"], "-d", "-c", os.environ["FOLDER"] + "/conf"], stdout=subprocess.DEVNULL)
seen = {}
try:
    for method, target in (("GET", "http://127.0.0.1:1/"), ("CONNECT", "127.0.0.1:1")):
        for password in (None, "wrong"):
            headers = {}
            if password:
                headers["Proxy-Authorization"] = "Basic " + base64.b64encode(f"ann:{password}".encode()).decode()
            for _ in range(100):
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
                try:
                    connection.request(method, target, headers=headers)
                    break
                except ConnectionError:
                    time.sleep(0.05)
            answer = connection.getresponse()
            asks = [name for name in answer.headers if name.lower().endswith("-authenticate")]
            seen[method, password] = answer.status, asks
            print(f"{method:8} {password or 'no':5} password: {answer.status} {answer.reason}, {asks[0]}: {answer.headers[asks[0]]}")
finally:
    process.terminate()
    process.wait()
for method in ("GET", "CONNECT"):
    assert seen[method, None] == (407, ["Proxy-Authenticate"]), "the behaviour has changed"
    assert seen[method, "wrong"] == (401, ["WWW-Authenticate"]), "the behaviour has changed"
print("as described")
END
