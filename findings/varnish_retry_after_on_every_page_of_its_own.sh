#!/bin/bash
# Varnish puts `Retry-After: 5` on every page that it makes itself, whatever its status: on a 403 or 404 of `return (synth(…))` as on the
# 503 of a server that is down. A client that heeds the header on any error waits five seconds for what will not change.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
chmod 755 "$folder"
cd "$folder"
# As Debian 12 ships it, unpacked here; nothing is installed on the machine.
if ! apt-get download varnish=7.1.1-2+deb12u1 libvarnishapi3=7.1.1-2+deb12u1 libjemalloc2=5.3.0-1 tcc=0.9.27+git20200814.62c30a4a-1 > log 2>&1; then
    cat log >&2; echo "needs the package lists of Debian 12: apt-get update" >&2; exit 2
fi
for package in *.deb; do dpkg-deb -x "$package" tree; done
LD_LIBRARY_PATH=$(echo "$folder"/tree/usr/lib/*-linux-gnu); export LD_LIBRARY_PATH
varnishd=$folder/tree/usr/sbin/varnishd
version=$("$varnishd" -V 2>&1 | sed -n 1p)
echo "$version"
[[ $version == *"varnish-7.1.1 "* ]] || { echo "another version" >&2; exit 1; }
FOLDER=$folder VARNISHD=$varnishd python3 - <<'END'
import os, signal, socket, subprocess, time, urllib.error, urllib.request

with socket.create_server(("127.0.0.1", 0)) as free, socket.create_server(("127.0.0.1", 0)) as dead:
    port, nothing = free.getsockname()[1], dead.getsockname()[1]
folder = os.environ["FOLDER"]
# Varnish compiles its configuration; a small C compiler is enough.
compiler = f"exec {folder}/tree/usr/bin/tcc -B{os.environ['LD_LIBRARY_PATH']}/tcc -nostdlib -shared -o %o %s"
with open(folder + "/vcl", "w") as vcl:
    vcl.write('vcl 4.1;\nbackend one { .host = "127.0.0.1"; .port = "%d"; }\nsub vcl_recv {\n'
              'if (req.url == "/no") { return (synth(404, "No")); }\nif (req.url == "/not") { return (synth(403, "Not")); }\n}\n' % nothing)
process = subprocess.Popen([os.environ["VARNISHD"], "-F", "-a", f"127.0.0.1:{port}", "-f", folder + "/vcl", "-n", folder + "/v",
                            "-s", "malloc,16m", "-j", "none", "-p", "cc_command=" + compiler], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
seen = {}
try:
    for path in ("/no", "/not", "/down"):
        for _ in range(400):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=20)
            except urllib.error.HTTPError as error:
                seen[error.code] = error.headers.get("Retry-After")
                break
            except OSError:
                time.sleep(0.05)
finally:
    os.killpg(process.pid, signal.SIGTERM)
    process.wait()
print("Retry-After by status:", seen)
assert seen == {404: "5", 403: "5", 503: "5"}, "the behaviour has changed"
print("as described")
END
