"""The proxies that are compared, with configurations that mean the same."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from rig import ORIGIN_PORT, Process, Rig, Trouble

# What the judged one is judged against; the same program again shows how far equals differ here.
SUBJECT = "lanai"
REFERENCE = "haproxy26"
CONTROL = "haproxy26b"
# HAProxy as its authors write it today. Debian has none: who wants it measured builds it, and sets HAPROXY35.
NEWEST = "haproxy35"
KNOWN = (REFERENCE, SUBJECT, CONTROL, "nginx", NEWEST)
# They have threads and HAProxy's runtime API.
HAPROXY_LIKE = (REFERENCE, SUBJECT, CONTROL, NEWEST)


def default() -> list[str]:
    """In this order the control stands as far from the reference as the subject does, or farther."""
    return [name for name in KNOWN if name != NEWEST or "HAPROXY35" in os.environ]


def program(name: str) -> list[str]:
    """The command line in front of `-f FILE`."""
    if name == SUBJECT:
        return [_given("LANAI"), "proxy"]
    if name == NEWEST:
        return [_given("HAPROXY35")]
    return ["/usr/sbin/nginx" if name == "nginx" else "/usr/sbin/haproxy"]


def _given(variable: str) -> str:
    path = os.environ.get(variable)
    if not path or not os.access(path, os.X_OK):
        raise Trouble(f"{variable}={path or ''} names no program; set it to the binary")
    return path


def version(name: str) -> str:
    """Its own word for it."""
    argv = [*program(name)[:1], "--version" if name == SUBJECT else "-v"]
    said = subprocess.run(argv, text=True, capture_output=True)
    lines = (said.stdout + said.stderr).strip().splitlines()
    return lines[0].split(" - ")[0] if lines else "unknown"


@dataclass
class Peer:
    """A running proxy."""

    name: str
    process: Process
    port: int
    stats_socket: Path | None


def start(rig: Rig, name: str, mode: str, threads: int = 1, pinned: bool = True) -> Peer:
    """Modes: http, httpclose (a new server connection for each request), tcp, tls."""
    port = rig.fresh_port()
    stem = rig.dir / f"{name}-{port}"
    stats_socket = None
    if name == "nginx":
        config = _nginx(rig, stem, port, mode)
        arguments = ["-p", str(stem), "-c"]
    else:
        stats_socket = stem.with_suffix(".sock")
        config = _haproxy(rig, stats_socket, port, mode, threads)
        arguments = ["-db", "-f"]
    file = stem.with_suffix(".cfg")
    file.write_text(config)
    argv = [*program(name), *arguments, str(file)]
    process = rig.start(f"{name}-{port}", argv, rig.proxy_cpu if pinned else None)
    process.listening(port)
    return Peer(name, process, port, stats_socket)


def can(name: str, mode: str) -> bool:
    """Debian's small nginx has no stream module."""
    return name != "nginx" or mode != "tcp"


def _haproxy(rig: Rig, stats_socket: Path, port: int, mode: str, threads: int) -> str:
    http = ["option forwardfor", "http-reuse always"]
    lines = {
        "tcp": ["mode tcp"],
        "http": ["mode http", *http],
        "tls": ["mode http", *http],
        "httpclose": ["mode http", *http, "option http-server-close"],
    }[mode]
    mode_lines = "".join(f"    {line}\n" for line in lines)
    tls = f" ssl crt {rig.certificate}" if mode == "tls" else ""
    return f"""global
    maxconn 9500
    nbthread {threads}
    stats socket {stats_socket} level admin
    tune.ssl.cachesize 0
    ssl-default-bind-options no-tls-tickets ssl-min-ver TLSv1.3
defaults
    timeout connect 5s
    timeout client 60s
    timeout server 60s
    timeout http-keep-alive 60s
    maxconn 9500
{mode_lines}frontend f
    bind 127.0.0.1:{port} backlog 8192{tls}
    default_backend b
backend b
    server s1 127.0.0.1:{ORIGIN_PORT}
"""


def _nginx(rig: Rig, stem: Path, port: int, mode: str) -> str:
    """One process, as many idle server connections as the load has clients."""
    stem.mkdir()
    keep, reuse = "keepalive 128;", 'proxy_http_version 1.1; proxy_set_header Connection "";'
    if mode == "httpclose":
        keep = reuse = ""
    ssl = tls = ""
    if mode == "tls":
        ssl = "ssl"
        tls = (f"ssl_certificate {rig.certificate}; ssl_certificate_key {rig.certificate}; "
               "ssl_protocols TLSv1.3; ssl_session_tickets off; ssl_session_cache off;")
    temporary = " ".join(f"{kind}_temp_path {stem}/{kind};"
                         for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    return f"""daemon off;
master_process off;
pid {stem}/pid;
error_log /dev/null crit;
events {{ worker_connections 19000; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    keepalive_timeout 60s;
    {temporary}
    upstream b {{ server 127.0.0.1:{ORIGIN_PORT}; {keep} }}
    server {{
        listen 127.0.0.1:{port} {ssl} backlog=8192;
        {tls}
        location / {{
            {reuse}
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_max_temp_file_size 0;
            proxy_pass http://b;
        }}
    }}
}}
"""
