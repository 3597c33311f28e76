"""Forward proxies that want a user and a password, and how each is started."""

from __future__ import annotations

from pathlib import Path

from .systems import AS_ROOT, Proxy

USER, PASSWORD = "ann", "right-horse"

# Squid asks a program; this one notes each question.
ASKED = "asked"
_PROGRAM = f"""\
while read -r user password; do
    echo "$user $password" >> "$0.{ASKED}"
    if [ "$user $password" = "{USER} {PASSWORD}" ]; then echo OK; else echo ERR; fi
done
"""

FORWARD_PROXIES = (
    Proxy(
        "Squid",
        "squid",
        "squid",
        ("-v",),
        ("-N", "-f", "$config", "-n", "f$port"),
        """\
http_port 127.0.0.1:$port
auth_param basic program /bin/sh $folder/program
auth_param basic children 1
acl known proxy_auth REQUIRED
http_access allow known
http_access deny all
hosts_file $folder/hosts
cache deny all
pid_filename $folder/pid
access_log none
cache_log $folder/cache.log
cache_store_log none
netdb_filename none
pinger_enable off
shutdown_lifetime 0 seconds
$streams
$idle
""",
    ),
    Proxy(
        "tinyproxy",
        "tinyproxy",
        "tinyproxy",
        ("-v",),
        ("-d", "-c", "$config"),
        f"""\
Port $port
Listen 127.0.0.1
Timeout 300
BasicAuth {USER} {PASSWORD}
{"User nobody" if AS_ROOT else ""}
$streams
$idle
""",
    ),
)


def prepare(folder: Path, *hosts: str) -> Path:
    """Write what the configurations name, with hosts that Squid finds on this machine. Returns the folder."""
    (folder / "program").write_text(_PROGRAM)
    (folder / f"program.{ASKED}").touch(0o666)
    (folder / f"program.{ASKED}").chmod(0o666)
    (folder / "hosts").write_text("".join(f"127.0.0.1 {host}\n" for host in hosts))
    return folder
