"""Measures Lanai beside HAProxy and nginx, in turn, and says whether the project's bounds hold.

Started by scripts/bench, which installs and builds what is needed. Method: docs/performance.md."""

import argparse
import datetime
import json
import os
import platform
import re
import subprocess
import sys
from pathlib import Path

import peers
import tables
import verdict
from measures import MEASURES, Plan
from rig import Rig, Trouble

PROJECT = Path(__file__).resolve().parent.parent.parent
PAGE = PROJECT / "docs" / "performance.md"


def main() -> int:
    arguments = parse()
    if arguments.markdown:
        return renew_page(arguments.markdown)
    plan = Plan(arguments.peers, arguments.r, arguments.t, arguments.c)
    say_plan(arguments.m, plan)
    if arguments.plan:
        return 0
    rig = Rig(os.environ["BENCH_LOAD"])
    facts = gather_facts(plan.names)
    records = []
    for name in arguments.m:
        others = rig.others()
        samples = MEASURES[name].run(rig, plan)
        record = {"measure": name, "facts": facts, "rounds": plan.rounds, "seconds": plan.seconds,
                  "connections": plan.connections, "others": others(), "samples": samples}
        stop_peers(rig)
        records.append(record)
        show(record)
        if arguments.o:
            with open(arguments.o, "a") as file:
                file.write(json.dumps(record) + "\n")
    return conclude(records)


def parse() -> argparse.Namespace:
    about = "\n".join(f"  {name:4} {measure.title}" for name, measure in MEASURES.items())
    parser = argparse.ArgumentParser(
        prog="scripts/bench", formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Measures Lanai beside HAProxy 2.6 and nginx; exit code 1 if a bound does not hold.",
        epilog=f"measures:\n{about}\n  l    l50 and l80\n"
               f"peers: {' '.join(peers.KNOWN)}\n"
               "environment: LANAI=BINARY instead of a release build; HAPROXY35=BINARY for that peer")
    parser.add_argument("peers", nargs="*", metavar="PEER", help="which proxies (default: all that are there)")
    parser.add_argument("-m", metavar="M,M...", help="which measures (default: all)")
    parser.add_argument("-r", metavar="ROUNDS", type=positive, help="rounds (15)")
    parser.add_argument("-t", metavar="SECONDS", type=positive, help="length of a sample (3)")
    parser.add_argument("-c", metavar="CONNECTIONS", type=positive, default=64, help="client connections (64)")
    parser.add_argument("-o", metavar="FILE", help="append the samples, one measure a line, as JSON")
    parser.add_argument("--quick", action="store_true", help="3 rounds of 1 second: a look, not a measurement")
    parser.add_argument("--markdown", metavar="FILE",
                        help="renew the tables of docs/performance.md from the samples in FILE; measure nothing")
    parser.add_argument("--plan", action="store_true", help="say what would be measured and how long it takes")
    arguments = parser.parse_args()
    arguments.r = arguments.r or (3 if arguments.quick else 15)
    arguments.t = arguments.t or (1 if arguments.quick else 3)
    arguments.peers = list(dict.fromkeys(arguments.peers)) or peers.default()
    wanted = (arguments.m or ",".join(MEASURES)).split(",")
    arguments.m = [name for word in wanted for name in (("l50", "l80") if word == "l" else (word,))]
    for kind, words, known in (("measure", arguments.m, MEASURES), ("peer", arguments.peers, peers.KNOWN)):
        for word in words:
            if word not in known:
                parser.error(f"no {kind} {word!r}; there are: {' '.join(known)}")
    return arguments


def positive(word: str) -> int:
    if not word.isdigit() or int(word) == 0:
        raise argparse.ArgumentTypeError(f"{word!r} is not a whole number above 0")
    return int(word)


def say_plan(measures: list[str], plan: Plan):
    length = sum(MEASURES[name].length(plan, len(plan.names)) for name in measures) * plan.seconds
    print(f"measures {','.join(measures)}; peers {' '.join(plan.names)}; {plan.rounds} rounds of {plan.seconds} s: "
          f"about {length / 60 + 0.1:.1f} minutes", flush=True)


def gather_facts(names: list[str]) -> dict:
    cpuinfo = Path("/proc/cpuinfo").read_text()
    model = re.search(r"model name\s*: (.*)", cpuinfo)
    git = ["git", "-c", "safe.directory=*", "-C", str(PROJECT)]
    commit = subprocess.run([*git, "describe", "--always", "--dirty", "--exclude=*"], text=True, capture_output=True)
    return {"date": datetime.date.today().isoformat(), "commit": commit.stdout.strip() or "unknown",
            "processor": f"{os.cpu_count()} x {model[1] if model else platform.machine()}",
            "kernel": platform.release(),
            "versions": {name: peers.version(name) for name in names if name != peers.CONTROL}}


def stop_peers(rig: Rig):
    for process in rig.processes:
        if process is not rig.origin:
            process.stop()
    rig.processes[:] = [rig.origin]


def show(record: dict):
    print(f"\n{MEASURES[record['measure']].title}")
    print(tables.plain(tables.figures(record)))
    for line in tables.notes(record):
        print(f"  {line}")
    for text in verdict.warnings(record):
        print(f"  warning: {text}")
    sys.stdout.flush()


def conclude(records: list[dict]) -> int:
    judged = tables.verdicts(records)
    if len(judged) == 1:
        return 0
    print(f"\n{tables.plain(judged)}")
    failed = [one for record in records for one in verdict.judge(record) if not one.holds]
    print(f"{len(judged) - 1 - len(failed)} of {len(judged) - 1} bounds hold")
    return 1 if failed else 0


def renew_page(file: str) -> int:
    """A measure that was repeated counts as measured last."""
    latest = {}
    for line in Path(file).read_text().splitlines():
        record = json.loads(line)
        latest[record["measure"]] = record
    tables.renew(PAGE, [latest[name] for name in MEASURES if name in latest])
    print(f"{PAGE}: tables of {', '.join(name for name in MEASURES if name in latest)} renewed")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (Trouble, OSError, ValueError, subprocess.CalledProcessError) as trouble:
        print(f"error: {trouble}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
