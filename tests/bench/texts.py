"""How long a configuration takes to be checked: `lanai check` beside `haproxy -c`, on the same files.

Started by `scripts/bench check`, which installs and builds what is needed. Method: docs/performance.md."""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SIZES = (1_000, 10_000, 100_000)
# A frontend with its backend of eight servers.
SECTION_LINES = 14
# Lanai's processor time over HAProxy's, at each size.
MOST = 1.0
# Ten times the lines may cost this much more: what is linear costs ten times, or less where starting counts.
MOST_GROWTH = 15.0


def main() -> int:
    arguments = parse()
    sizes = [size for size in SIZES if size <= arguments.most]
    if arguments.plan:
        print(f"{arguments.r} rounds of {len(sizes)} texts, each checked by both")
        return 0
    checkers = {"haproxy": ["haproxy", "-c", "-f"], "lanai": [os.environ["LANAI"], "check", "-f"]}
    samples = {size: {name: [] for name in checkers} for size in sizes}
    with tempfile.TemporaryDirectory(prefix="lanai-texts-") as folder:
        files = {size: write(Path(folder), size) for size in sizes}
        for _ in range(arguments.r):
            for size, file in files.items():
                for name, words in checkers.items():
                    samples[size][name].append(check([*words, str(file)]))
    return conclude(samples, arguments.o)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/bench check",
        description="Checks texts of 1,000 to 100,000 lines with Lanai and HAProxy in turn; exit code 1 if "
                    "Lanai is slower, or not linear.",
        epilog="environment: LANAI=BINARY instead of a release build")
    parser.add_argument("-r", metavar="ROUNDS", type=int, default=15, help="rounds (15)")
    parser.add_argument("-o", metavar="FILE", help="write the samples to FILE, as JSON")
    parser.add_argument("--most", metavar="LINES", type=int, default=max(SIZES), help="no larger text than this")
    parser.add_argument("--plan", action="store_true", help="say what would be measured")
    return parser.parse_args()


def write(folder: Path, lines: int) -> Path:
    text = ["defaults", "    mode http", "    timeout connect 5s", "    timeout client 30s",
            "    timeout server 30s"]
    for number in range((lines - len(text)) // SECTION_LINES):
        a, b = divmod(number, 250)
        text += [f"frontend site{number}", f"    bind 127.1.{a}.{b + 1}:8080", "    option forwardfor",
                 f"    default_backend app{number}", f"backend app{number}", "    balance roundrobin"]
        text += [f"    server s{server} 10.{a}.{b}.{server}:8080 check inter 3s weight {server}0"
                 for server in range(1, 9)]
    file = folder / f"{lines}.cfg"
    file.write_text("\n".join(text) + "\n")
    return file


def check(words: list[str]) -> dict:
    """Processor time and time of one check, which has to find nothing."""
    begun = time.perf_counter()
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    said = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    taken = time.perf_counter() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0 or b"WARNING" in said or b"warning" in said:
        sys.exit(f"{' '.join(words)}: exit code {process.returncode}\n{said.decode(errors='replace')[:2000]}")
    return {"cpu_ms": (usage.ru_utime + usage.ru_stime) * 1e3, "ms": taken * 1e3}


def conclude(samples: dict, file: str | None) -> int:
    def middle(size: int, name: str, what: str) -> float:
        return statistics.median(sample[what] for sample in samples[size][name])

    print("lines      cpu ms: HAProxy   Lanai   ratio   time ms: HAProxy   Lanai")
    bad = []
    for size in samples:
        cpu, taken = ([middle(size, name, what) for name in ("haproxy", "lanai")] for what in ("cpu_ms", "ms"))
        ratio = cpu[1] / cpu[0]
        print(f"{size:7,}            {cpu[0]:7.1f} {cpu[1]:7.1f} {ratio:7.2f}            {taken[0]:7.1f} "
              f"{taken[1]:7.1f}")
        if ratio > MOST:
            bad.append(f"{size:,} lines take {ratio:.2f} times HAProxy's processor time")
    sizes = list(samples)
    for less, more in zip(sizes, sizes[1:]):
        growth = middle(more, "lanai", "cpu_ms") / middle(less, "lanai", "cpu_ms")
        if growth > MOST_GROWTH * more / less / 10:
            bad.append(f"{more:,} lines take {growth:.1f} times what {less:,} take")
    if file:
        Path(file).write_text(json.dumps(samples) + "\n")
    for line in bad:
        print(f"does not hold: {line}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
