"""What is measured. Each measure gives samples by peer: one a round, each a dictionary of figures."""

import csv
import json
import signal
import socket
import statistics
import subprocess
from collections.abc import Callable
from dataclasses import dataclass

import peers
from peers import REFERENCE, SUBJECT, Peer
from rig import ORIGIN_PORT, Rig, Trouble

Samples = dict[str, list[dict]]

# The load on the origin alone, which is no proxy: what of a latency is not the proxies' doing.
DIRECT = "direct"
# The subject with two threads beside the same with one.
TWO_THREADS = " x2"
# Fewer than the proxies' maxconn.
IDLE_CONNECTIONS = 9000
REUSE_WORKERS = 8
REUSE_CONNECTIONS = 8


@dataclass
class Plan:
    """What the command line asks for."""

    names: list[str]
    rounds: int
    seconds: int
    connections: int


@dataclass
class Measure:
    """A measure, and how long its samples of one peer take, in units of `-t`."""

    title: str
    run: Callable[[Rig, Plan], Samples]
    length: Callable[[Plan, int], float]


def rounds(plan: Plan, running: dict, sample: Callable) -> Samples:
    """Interleaved, every other round in reverse, so that a drift of the machine meets all alike."""
    samples: Samples = {name: [] for name in running}
    for number in range(plan.rounds):
        order = list(running) if number % 2 == 0 else list(reversed(running))
        for name in order:
            samples[name].append(sample(running[name]))
    return samples


def cpu(mode: str, *, small: int | None = None, **load) -> Callable[[Rig, Plan], Samples]:
    """Processor time of the proxy by request, with the proxy as the bottleneck."""

    def run(rig: Rig, plan: Plan) -> Samples:
        connections = small or plan.connections
        running = {name: peers.start(rig, name, mode) for name in plan.names if peers.can(name, mode)}
        for peer in running.values():
            rig.wrk(peer.port, connections, 1, **load)
        return rounds(plan, running, lambda peer: cpu_sample(rig, peer, connections, plan.seconds, **load))

    return run


def cpu_sample(rig: Rig, peer: Peer, connections: int, seconds: int, **load) -> dict:
    before = peer.process.cpu_seconds()
    did = rig.wrk(peer.port, connections, seconds, **load)
    spent = peer.process.cpu_seconds() - before
    if did["requests"] == 0:
        raise Trouble(f"{peer.name} answered no request ({did['errors']} errors)")
    return {"cpu_us": spent / did["requests"] * 1e6, "rps": did["rps"], "busy": spent / seconds,
            "errors": did["errors"]}


def threads(rig: Rig, plan: Plan) -> Samples:
    """One thread and two, where both may run on any processor beside the load."""
    running = {}
    for name in plan.names:
        if name in peers.HAPROXY_LIKE:
            running[name] = peers.start(rig, name, "http", 1, pinned=False)
            running[name + TWO_THREADS] = peers.start(rig, name, "http", 2, pinned=False)
    for peer in running.values():
        rig.wrk(peer.port, plan.connections, 1, pinned=False)
    return rounds(plan, running,
                  lambda peer: cpu_sample(rig, peer, plan.connections, plan.seconds, pinned=False))


def idle(rig: Rig, plan: Plan) -> Samples:
    """Memory that is in use with idle connections, less what was in use before; a fresh proxy each time."""

    def sample(name: str) -> dict:
        peer = peers.start(rig, name, "http")
        # What only the first requests allocate is no cost of idle connections.
        rig.wrk(peer.port, plan.connections, 1)
        before = peer.process.resident_bytes()
        argv = [rig.load_tool, "idle", str(peer.port), str(IDLE_CONNECTIONS)]
        with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
            if holder.stdout.readline() != b"OK\n":
                raise Trouble(f"{name} does not hold {IDLE_CONNECTIONS} idle connections")
            after = peer.process.resident_bytes()
        peer.process.stop()
        return {"bytes": (after - before) / IDLE_CONNECTIONS, "base": before}

    few = Plan(plan.names, min(plan.rounds, 3), plan.seconds, plan.connections)
    return rounds(few, {name: name for name in plan.names}, sample)


def system_calls(mode: str, **load) -> Callable[[Rig, Plan], Samples]:
    """Counted by strace, which slows a proxy down: how many, not how long."""

    def run(rig: Rig, plan: Plan) -> Samples:
        samples: Samples = {}
        for name in plan.names:
            peer = peers.start(rig, name, mode)
            rig.wrk(peer.port, plan.connections, 1, **load)
            samples[name] = [count_calls(rig, peer, plan, load)]
            peer.process.stop()
        return samples

    return run


def count_calls(rig: Rig, peer: Peer, plan: Plan, load: dict) -> dict:
    counted = rig.dir / "strace.txt"
    argv = ["strace", "-c", "-f", "-p", str(peer.process.pid), "-o", str(counted)]
    with subprocess.Popen(argv, stderr=subprocess.PIPE, text=True) as strace:
        if "attached" not in (said := strace.stderr.readline()):
            raise Trouble(f"strace cannot watch {peer.name}: {said.strip()}")
        did = rig.wrk(peer.port, plan.connections, plan.seconds, **load)
        strace.send_signal(signal.SIGINT)
        strace.stderr.read()
    calls = {}
    for line in counted.read_text().splitlines():
        words = line.split()
        if len(words) >= 5 and words[3].isdigit() and words[-1] != "total":
            calls[words[-1]] = round(int(words[3]) / did["requests"], 3)
    return {"calls": sum(calls.values()), "by_call": calls, "errors": did["errors"]}


def reuse(rig: Rig, plan: Plan) -> Samples:
    """Requests that needed no new server connection, with as many workers as clients: clients that
    stay, then clients that come anew for each request. The lower of both counts."""

    def phase(peer: Peer, close: bool) -> dict:
        accepted, answered = rig.origin_counts()
        did = rig.wrk(peer.port, REUSE_CONNECTIONS, plan.seconds, close=close, pinned=False)
        accepted_after, answered_after = rig.origin_counts()
        return {"reuse": 1 - (accepted_after - accepted) / (answered_after - answered), "errors": did["errors"]}

    def sample(peer: Peer) -> dict:
        before = server_line(peer)
        stay, anew = phase(peer, False), phase(peer, True)
        after = server_line(peer)
        connects, reuses = (int(after[key]) - int(before[key]) for key in ("connect", "reuse"))
        return {"reuse": min(stay["reuse"], anew["reuse"]), "stay": stay["reuse"], "anew": anew["reuse"],
                "stat": reuses / max(1, connects + reuses), "errors": stay["errors"] + anew["errors"]}

    running = {name: peers.start(rig, name, "http", REUSE_WORKERS, pinned=False)
               for name in plan.names if name in peers.HAPROXY_LIKE}
    few = Plan(plan.names, min(plan.rounds, 3), plan.seconds, plan.connections)
    return rounds(few, running, sample)


def server_line(peer: Peer) -> dict:
    """The server's line of `show stat`."""
    with socket.socket(socket.AF_UNIX) as api:
        api.settimeout(5)
        api.connect(str(peer.stats_socket))
        api.sendall(b"show stat\n")
        said = b"".join(iter(lambda: api.recv(65536), b"")).decode()
    lines = csv.DictReader(said.removeprefix("# ").splitlines())
    return next(line for line in lines if line["svname"] == "s1")


def latency(share: float) -> Callable[[Rig, Plan], Samples]:
    """Latency at a share of the saturating load of the slower of reference and subject: the same
    requests per second to every peer, and to the origin alone."""

    def run(rig: Rig, plan: Plan) -> Samples:
        running = {name: peers.start(rig, name, "http") for name in plan.names}
        for peer in running.values():
            rig.wrk(peer.port, plan.connections, 1)
        judged = {name: peer for name, peer in running.items() if name in (REFERENCE, SUBJECT)} or running
        three = Plan(plan.names, 3, plan.seconds, plan.connections)
        saturated = rounds(three, judged, lambda peer: rig.wrk(peer.port, plan.connections, min(plan.seconds, 2)))
        rate = share * min(statistics.median(s["rps"] for s in samples) for samples in saturated.values())
        ports = {DIRECT: ORIGIN_PORT, **{name: peer.port for name, peer in running.items()}}

        def sample(name: str) -> dict:
            process = rig.origin if name == DIRECT else running[name].process
            before = process.cpu_seconds()
            argv = ["pace", str(ports[name]), str(rate), str(plan.seconds), str(plan.connections)]
            figures = json.loads(rig.load([rig.load_tool, *argv]))
            return {**figures, "rate": rate, "busy": (process.cpu_seconds() - before) / plan.seconds}

        return rounds(plan, {name: name for name in ports}, sample)

    return run


def _full(plan: Plan, count: int) -> float:
    return count * (plan.rounds + 1 / plan.seconds)


def _few(plan: Plan, count: int) -> float:
    return count * 2.5 * min(plan.rounds, 3)


MEASURES = {
    "a": Measure("keep-alive, 1 KB", cpu("http"), _full),
    "b": Measure("new connection per request", cpu("httpclose", close=True), _full),
    "c": Measure("1 MB bodies", cpu("http", small=16, path="/1m"), _full),
    "d": Measure("TCP mode", cpu("tcp"), _full),
    "ek": Measure("TLS 1.3, keep-alive", cpu("tls", tls=True), _full),
    "eh": Measure("TLS 1.3, full handshakes", cpu("tls", tls=True, close=True), _full),
    "f": Measure("idle client connection", idle, _few),
    "s": Measure("system calls, keep-alive", system_calls("http"), lambda plan, count: 2 * count),
    "sb": Measure("system calls, new connection", system_calls("httpclose", close=True),
                  lambda plan, count: 2 * count),
    "t": Measure("two threads over one", threads, lambda plan, count: 2 * _full(plan, count)),
    "r": Measure("server connections reused", reuse, _few),
    "l50": Measure("latency at 50 % load", latency(0.5), lambda plan, count: _full(plan, count + 1) + 9),
    "l80": Measure("latency at 80 % load", latency(0.8), lambda plan, count: _full(plan, count + 1) + 9),
}
