"""The proxies, how each is started, and its two configurations: as it comes, and for streams.

A configuration for streams differs from the plain one by the lines that `Proxy.stream_lines` has, and by nothing else:
they are what docs/proxies.md tells people to write.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from string import Template

import attrs

START_SECONDS = 30.0
LONG = 300
"""Seconds of silence that a proxy is told to bear, where the test is not about that."""


@attrs.frozen
class Proxy:
    """One proxy.

    Attributes:
        name: As people say it.
        package: Debian's.
        executable: What is started.
        version_arguments: What makes it tell its version.
        command: Its arguments; ``$config`` and ``$folder`` are put in.
        config: Its configuration, with ``$port``, ``$upstream``, ``$folder``, ``$seconds`` (of silence), and
            the lines for streams, for gzip, and for idle connections.
        stream_lines: What is put in for ``$streams``.
        idle_lines: What is put in for ``$idle`` to close a client's connection that was idle for a second.
        gzip_lines: What is put in for ``$gzip`` to compress event streams; empty: not tried.
    """

    name: str
    package: str
    executable: str
    version_arguments: tuple[str, ...]
    command: tuple[str, ...]
    config: str
    stream_lines: str = ""
    idle_lines: str = ""
    gzip_lines: str = ""

    @property
    def path(self) -> str | None:
        """Where it is installed."""
        return shutil.which(self.executable, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")

    def version(self) -> str:
        """What it says of itself."""
        assert self.path
        told = subprocess.run([self.path, *self.version_arguments], capture_output=True, text=True, check=False)
        found = re.search(r"\d+\.\d+(\.\d+)?", told.stdout + told.stderr)
        return found.group() if found else "?"

    @property
    def label(self) -> str:
        """Name and version."""
        return f"{self.name} {self.version()}"


AS_ROOT = os.geteuid() == 0 if hasattr(os, "geteuid") else False

PROXIES = (
    Proxy(
        "nginx",
        "nginx",
        "nginx",
        ("-v",),
        ("-c", "$config", "-p", "$folder"),
        """\
daemon off;
pid $folder/pid;
error_log $folder/error.log;
events {}
http {
    access_log off;
    client_body_temp_path $folder/body;
    proxy_temp_path $folder/proxy;
    fastcgi_temp_path $folder/fastcgi;
    uwsgi_temp_path $folder/uwsgi;
    scgi_temp_path $folder/scgi;
    $gzip
    $idle
    server {
        listen 127.0.0.1:$port;
        location / {
            proxy_pass http://127.0.0.1:$upstream;
            proxy_read_timeout ${seconds}s;
            $streams
        }
    }
}
""",
        stream_lines='proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off;'
        " client_max_body_size 48m;",
        idle_lines="keepalive_timeout 1s;",
        gzip_lines="gzip on; gzip_types text/event-stream; gzip_min_length 0; gzip_proxied any;",
    ),
    Proxy(
        "HAProxy",
        "haproxy",
        "haproxy",
        ("-v",),
        ("-f", "$config", "-db"),
        """\
defaults
    mode http
    timeout connect 10s
    timeout client 300s
    timeout server ${seconds}s
    retries 1
    $idle
    $streams
    $gzip
frontend in
    bind 127.0.0.1:$port
    default_backend api
backend api
    server api 127.0.0.1:$upstream
""",
        stream_lines="option http-no-delay",
        idle_lines="timeout http-keep-alive 1s",
        gzip_lines="compression algo gzip\n    compression type text/event-stream",
    ),
    Proxy(
        "Apache",
        "apache2",
        "apache2",
        ("-v",),
        ("-f", "$config", "-DFOREGROUND"),
        """\
ServerRoot /usr/lib/apache2
ServerName localhost
PidFile $folder/pid
ErrorLog $folder/error.log
DefaultRuntimeDir $folder
Mutex file:$folder
Listen 127.0.0.1:$port
LoadModule mpm_event_module modules/mod_mpm_event.so
LoadModule authz_core_module modules/mod_authz_core.so
LoadModule filter_module modules/mod_filter.so
LoadModule deflate_module modules/mod_deflate.so
LoadModule proxy_module modules/mod_proxy.so
LoadModule proxy_http_module modules/mod_proxy_http.so
$user
$gzip
$idle
ProxyPass / http://127.0.0.1:$upstream/ timeout=$seconds $streams
""",
        stream_lines="flushpackets=on",
        idle_lines="KeepAliveTimeout 1",
        gzip_lines="SetOutputFilter DEFLATE",
    ),
    Proxy(
        "Squid",
        "squid",
        "squid",
        ("-v",),
        ("-N", "-f", "$config", "-n", "s$port"),
        """\
http_port 127.0.0.1:$port accel defaultsite=localhost no-vhost
cache_peer 127.0.0.1 parent $upstream 0 no-query originserver name=api connect-timeout=10 seconds
http_access allow all
cache deny all
read_timeout $seconds seconds
pid_filename $folder/pid
access_log none
cache_log $folder/cache.log
cache_store_log none
netdb_filename none
pinger_enable off
shutdown_lifetime 0 seconds
$idle
$streams
""",
        stream_lines="client_lifetime 1 day",
        idle_lines="client_idle_pconn_timeout 1 seconds",
    ),
    Proxy(
        "Varnish",
        "varnish",
        "varnishd",
        ("-V",),
        (
            "-F",
            "-a",
            "127.0.0.1:$port",
            "-f",
            "$config",
            "-n",
            "$folder/v",
            "-s",
            "malloc,16m",
            "-j",
            "none",
            "-p",
            "timeout_idle=$idle",
        ),
        """\
vcl 4.1;
backend api {
    .host = "127.0.0.1";
    .port = "$upstream";
    .connect_timeout = 10s;
    .first_byte_timeout = ${seconds}s;
    .between_bytes_timeout = ${seconds}s;
}
sub vcl_backend_response {
    $streams
    $gzip
}
""",
        stream_lines="set beresp.do_stream = true;\n    set beresp.do_gunzip = false;",
        idle_lines="1",
        gzip_lines="set beresp.do_gzip = true;",
    ),
    Proxy(
        "Caddy",
        "caddy",
        "caddy",
        ("version",),
        ("run", "--config", "$config", "--adapter", "caddyfile"),
        """\
{
    admin off
    auto_https off
    $idle
}
:$port {
    bind 127.0.0.1
    $gzip
    reverse_proxy 127.0.0.1:$upstream {
        $streams
        transport http {
            dial_timeout 10s
            response_header_timeout ${seconds}s
            read_timeout ${seconds}s
        }
    }
}
""",
        stream_lines="flush_interval -1",
        idle_lines="servers {\n        timeouts {\n            idle 1s\n        }\n    }",
        gzip_lines="encode gzip {\n        match header Content-Type text/event-stream*\n    }",
    ),
    Proxy(
        "lighttpd",
        "lighttpd",
        "lighttpd",
        ("-v",),
        ("-D", "-f", "$config"),
        """\
server.modules = ("mod_proxy", "mod_deflate")
server.document-root = "$folder"
server.bind = "127.0.0.1"
server.port = $port
server.errorlog = "$folder/error.log"
server.upload-dirs = ("$folder")
$streams
$gzip
$idle
proxy.server = ("" => (("host" => "127.0.0.1", "port" => $upstream, "read-timeout" => $seconds)))
""",
        stream_lines="server.stream-response-body = 2",
        idle_lines="server.max-keep-alive-idle = 1",
        gzip_lines='deflate.mimetypes = ("text/event-stream")\ndeflate.allowed-encodings = ("gzip")',
    ),
    Proxy(
        "h2o",
        "h2o",
        "h2o",
        ("--version",),
        ("-c", "$config"),
        """\
$user
pid-file: $folder/pid
error-log: $folder/error.log
listen:
  host: 127.0.0.1
  port: $port
temp-buffer-path: $folder
proxy.timeout.io: ${seconds}000
$idle
$gzip
hosts:
  default:
    paths:
      "/":
        proxy.reverse.url: "http://127.0.0.1:$upstream/"
        $streams
""",
        stream_lines="proxy.timeout.keepalive: 2000",
        idle_lines="http1-request-timeout: 1",
        gzip_lines="compress: ON",
    ),
)

USER = {"apache2": "User www-data\nGroup www-data", "h2o": "user: nobody"}


@attrs.frozen
class Running:
    """A proxy that runs.

    Attributes:
        proxy: Which.
        base_url: Where.
        seconds: Of silence that it bears.
        started: How long it took to start, seconds.
    """

    proxy: Proxy
    base_url: str
    seconds: int
    started: float


def free_port() -> int:
    """One that is free now."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


@contextmanager
def running(
    proxy: Proxy,
    upstream: int,
    folder: Path,
    *,
    streams: bool,
    seconds: int = LONG,
    gzip: bool = False,
    idle: bool = False,
    lines: str | None = None,
) -> Iterator[Running]:
    """A proxy in front of a port, for the length of the block.

    Args:
        streams: With the lines for streams, else as it comes.
        seconds: Of silence that it bears.
        gzip: Whether it compresses event streams.
        idle: Whether it closes a client's connection that was idle for a second.
        lines: Instead of the lines for streams.

    Raises:
        RuntimeError: It ended, or was not there in time; with what it wrote.
    """
    port = free_port()
    for above in (folder, *folder.parents[:-2]):  # some give up root's rights, and must still get there
        with suppress(PermissionError):
            above.chmod(0o755 if above != folder else 0o777)
    values = {
        "port": port,
        "upstream": upstream,
        "folder": folder,
        "seconds": seconds,
        "config": folder / "config",
        "streams": lines if lines is not None else proxy.stream_lines if streams else "",
        "idle": proxy.idle_lines if idle else "5" if proxy.executable == "varnishd" else "",
        "gzip": proxy.gzip_lines if gzip else "",
        "user": USER.get(proxy.executable, "") if AS_ROOT else "",
    }
    (folder / "config").write_text(Template(proxy.config).substitute(values))
    assert proxy.path
    command = [proxy.path, *(Template(part).substitute(values) for part in proxy.command)]
    began = time.monotonic()
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=folder,
            env={**os.environ, "HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)},
            start_new_session=True,
        )
    try:
        _until(lambda: _listens(port) or process.poll() is not None)
        if process.poll() is not None or not _listens(port):
            raise RuntimeError(f"{proxy.name} did not start:\n{(folder / 'log').read_text(errors='replace')[-2000:]}")
        yield Running(proxy, f"http://127.0.0.1:{port}", seconds, time.monotonic() - began)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def _until(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and not holds():
        time.sleep(0.05)
