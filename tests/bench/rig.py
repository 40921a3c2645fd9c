"""The bench's hands: processes that end with it, the processors they run on, and what they used."""

import atexit
import json
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ORIGIN_PORT = 9000
FIRST_PEER_PORT = 18000

# One client address to one server address: every port counts. The bench's own are kept out.
SYSCTLS = {
    "net/ipv4/ip_local_port_range": "1025 65000",
    "net/ipv4/ip_local_reserved_ports": "9000,18000-18200",
    "net/ipv4/tcp_max_tw_buckets": "262144",
    "net/core/somaxconn": "8192",
    "net/ipv4/tcp_max_syn_backlog": "8192",
}


class Trouble(Exception):
    """The bench cannot go on; the message says what to do."""


class Rig:
    """Our own network namespace, a directory, the origin, and two processors."""

    def __init__(self, load_tool: str):
        self.load_tool = load_tool
        allowed = sorted(os.sched_getaffinity(0))
        if len(allowed) < 2:
            raise Trouble("one processor for the proxy and one for the load are needed; this process may use one")
        self.proxy_cpu, self.load_cpu = allowed[:2]
        self.dir = Path(tempfile.mkdtemp(prefix="lanai-bench-"))
        atexit.register(shutil.rmtree, self.dir, ignore_errors=True)
        self.processes: list[Process] = []
        atexit.register(self.stop_all)
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        self._enter_namespace()
        self.certificate = self._make_certificate()
        self._ports = iter(range(FIRST_PEER_PORT, FIRST_PEER_PORT + 200))
        self.origin = self.start("origin", [load_tool, "origin", str(ORIGIN_PORT)], cpu=self.load_cpu)
        self.origin.listening(ORIGIN_PORT)

    def _enter_namespace(self):
        """`unshare --net` has made it: its loopback is still down. The host's must stay as it is."""
        (loopback,) = json.loads(subprocess.check_output(["ip", "-j", "link", "show", "lo"]))
        if "UP" in loopback["flags"]:
            raise Trouble("this is not a network namespace of its own: start it with scripts/bench")
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        for name, value in SYSCTLS.items():
            Path("/proc/sys", name).write_text(value)

    def _make_certificate(self) -> Path:
        """P-256, as most sites have; one file with certificate and key."""
        key, certificate, both = (self.dir / name for name in ("key.pem", "certificate.pem", "both.pem"))
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
             "-days", "30", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
             "-keyout", key, "-out", certificate],
            check=True, capture_output=True)
        both.write_text(certificate.read_text() + key.read_text())
        return both

    def fresh_port(self) -> int:
        # A port that another measure left is free again.
        port = next(self._ports, None)
        if port is None:
            self._ports = iter(range(FIRST_PEER_PORT, FIRST_PEER_PORT + 200))
            port = next(self._ports)
        return port

    def start(self, name: str, argv: list[str], cpu: int | None = None) -> "Process":
        process = Process(name, argv, self.dir / f"{name}.log", cpu)
        self.processes.append(process)
        return process

    def stop_all(self):
        for process in self.processes:
            process.stop()
        self.processes.clear()

    def load(self, argv: list[str], pinned: bool = True) -> str:
        """Runs a load to its end; gives what it says."""
        done = subprocess.run(on_cpu(self.load_cpu if pinned else None, argv), text=True, capture_output=True)
        if done.returncode != 0:
            raise Trouble(f"{' '.join(argv)} failed: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout

    def wrk(self, port: int, connections: int, seconds: int, *, path="/", tls=False, close=False,
            pinned=True) -> dict:
        """Load that asks again as soon as it is answered: requests, seconds, errors."""
        header = ["-H", "Connection: close"] if close else []
        url = f"{'https' if tls else 'http'}://127.0.0.1:{port}{path}"
        said = self.load(["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "5s", *header, url], pinned)
        requests = re.search(r"(\d+) requests in", said)
        rate = re.search(r"Requests/sec:\s+([\d.]+)", said)
        if not requests or not rate:
            raise Trouble(f"wrk said something else: {said}")
        errors = sum(int(count) for count in re.findall(r"(?:connect|read|write|timeout) (\d+)", said))
        wrong = re.search(r"Non-2xx or 3xx responses: (\d+)", said)
        return {"requests": int(requests[1]), "rps": float(rate[1]),
                "errors": errors + (int(wrong[1]) if wrong else 0)}

    def others(self) -> Callable[[], float]:
        """Begins to watch what else runs on this machine; gives the function that says how much: 1 is a
        whole processor's time. Time that the hypervisor took (steal) is someone else's too."""
        began, busy, ours = time.monotonic(), machine_seconds(), self._own_seconds()

        def share() -> float:
            others = (machine_seconds() - busy) - (self._own_seconds() - ours)
            return max(0.0, others / (time.monotonic() - began))

        return share

    def _own_seconds(self) -> float:
        ended = sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        return ended + sum(process.cpu_seconds() for process in self.processes if process.child.poll() is None)

    def origin_counts(self) -> tuple[int, int]:
        """Connections that the origin took so far, and requests that it answered."""
        with socket.create_connection(("127.0.0.1", ORIGIN_PORT), 5) as connection:
            connection.sendall(b"GET /counts HTTP/1.1\r\nHost: origin\r\nConnection: close\r\n\r\n")
            body = b"".join(iter(lambda: connection.recv(4096), b"")).split(b"\r\n\r\n", 1)[1]
        accepted, answered = body.split()
        return int(accepted), int(answered)


class Process:
    """A program in the background, killed with the bench however that ends."""

    def __init__(self, name: str, argv: list[str], log: Path, cpu: int | None):
        self.name, self.log = name, log
        argv = ["setpriv", "--pdeathsig", "KILL", *on_cpu(cpu, argv)]
        with log.open("w") as out:
            self.child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out)

    @property
    def pid(self) -> int:
        return self.child.pid

    def stop(self):
        self.child.kill()
        self.child.wait()

    def listening(self, port: int):
        """Waits until it takes connections; trouble with its last words if it ends instead."""
        end = time.monotonic() + 10
        while time.monotonic() < end and self.child.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            except OSError:
                time.sleep(0.02)
        raise Trouble(f"{self.name} does not listen on port {port}: {self.log.read_text().strip()[-2000:]}")

    def cpu_seconds(self) -> float:
        """Processor time of all its threads, in the kernel's nanoseconds."""
        spent = 0
        for task in Path(f"/proc/{self.pid}/task").iterdir():
            spent += int((task / "schedstat").read_text().split()[0])
        return spent / 1e9

    def resident_bytes(self) -> int:
        """Memory in use, once it has settled: twice the same within 100 ms."""
        before = None
        for _ in range(50):
            status = Path(f"/proc/{self.pid}/status").read_text()
            now = int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) * 1024
            if now == before:
                break
            before = now
            time.sleep(0.1)
        return now


def machine_seconds() -> float:
    """Time that the processors did not idle, all together."""
    user, nice, system, _idle, _wait, irq, softirq, steal = map(
        int, Path("/proc/stat").read_text().splitlines()[0].split()[1:9])
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def on_cpu(cpu: int | None, argv: list[str]) -> list[str]:
    return argv if cpu is None else ["taskset", "-c", str(cpu), *argv]
