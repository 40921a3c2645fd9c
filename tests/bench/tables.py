"""The figures as tables: on the terminal, and in docs/performance.md."""

from pathlib import Path

import verdict
from measures import DIRECT, MEASURES, TWO_THREADS
from peers import REFERENCE

CPU = (("cpu_us", "cpu us/request", "{:.2f}"), ("rps", "requests/s", "{:.0f}"), ("busy", "busy", "{:.2f}"))
LATENCY = (("p50_us", "p50 us", "{:.0f}"), ("p99_us", "p99 us", "{:.0f}"), ("p999_us", "p99.9 us", "{:.0f}"),
           ("rate", "requests/s", "{:.0f}"), ("busy", "busy", "{:.2f}"), ("late_p99_us", "sent late, p99 us", "{:.0f}"))
# Title, measures, figures; the first figure has its ratio to the reference beside it.
GROUPS = (
    ("Processor time", ("a", "b", "c", "d", "ek", "eh", "t"), CPU),
    ("Latency", ("l50", "l80"), LATENCY),
    ("Memory", ("f",), (("bytes", "bytes/connection", "{:.0f}"), ("base", "resident before, bytes", "{:.0f}"))),
    ("System calls", ("s", "sb"), (("calls", "calls/request", "{:.2f}"),)),
    ("Server connections", ("r",), (("reuse", "reused", "{:.5f}"), ("stay", "clients that stay", "{:.5f}"),
                                    ("anew", "clients that come anew", "{:.5f}"),
                                    ("stat", "by `show stat`", "{:.5f}"))),
)

BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"

Table = list[list[str]]


def group_of(measure: str) -> tuple:
    return next(group for group in GROUPS if measure in group[1])


def figures(record: dict) -> Table:
    """A header, and a line for each peer."""
    measure, samples = record["measure"], record["samples"]
    columns = group_of(measure)[2]
    table = [["", "peer", *(title for _, title, _ in columns), "ratio by round [quartiles]"]]
    for name, taken in samples.items():
        line = [measure, name]
        line += [form.format(verdict.median(taken, figure)) for figure, _, form in columns]
        table.append([*line, _ratio(samples, columns[0][0], name)])
    return table


def _ratio(samples: dict, figure: str, name: str) -> str:
    reference = name.removesuffix(TWO_THREADS) if name.endswith(TWO_THREADS) else REFERENCE
    if name in (REFERENCE, DIRECT) or reference not in samples:
        return ""
    ratio = verdict.ratios(samples, figure, name, reference)
    return f"{ratio} x {reference}" if ratio else ""


def calls(record: dict) -> list[str]:
    """The most frequent system calls of each peer."""
    lines = []
    for name, samples in record["samples"].items():
        by_call = sorted(samples[-1]["by_call"].items(), key=lambda item: -item[1])
        told = " ".join(f"{call}={count:.2f}" for call, count in by_call if count >= 0.01)
        lines.append(f"{name}: {told}")
    return lines


def added(record: dict) -> list[str]:
    """What the proxies add to the latency of the origin alone."""
    samples = record["samples"]
    quantiles = (("p50", "p50_us"), ("p99", "p99_us"), ("p99.9", "p999_us"))
    lines = []
    for name, taken in samples.items():
        if name != DIRECT and DIRECT in samples:
            more = [f"{title} {verdict.median(taken, key) - verdict.median(samples[DIRECT], key):+.0f} us"
                    for title, key in quantiles]
            lines.append(f"{name}: {', '.join(more)}")
    return lines


def notes(record: dict) -> list[str]:
    """Further lines below a measure's table."""
    if record["measure"] in ("s", "sb"):
        return calls(record)
    if record["measure"] in ("l50", "l80"):
        return [f"added to the origin's own: {line}" for line in added(record)]
    return []


def verdicts(records: list[dict]) -> Table:
    """A header, and a line for each bound."""
    table = [["", "measure", "figure", "bound", "lanai", "control: haproxy26 / itself", "verdict"]]
    for record in records:
        for one in verdict.judge(record):
            word = ("PASS" if one.holds else "FAIL") + (f": {one.why}" if one.why else "")
            table.append([one.measure, MEASURES[one.measure].title, one.figure, one.bound, one.value, one.control, word])
    return table


def plain(table: Table) -> str:
    """In columns; the lines' names to the left, the figures too, since their forms differ."""
    widths = [max(len(line[column]) for line in table) for column in range(len(table[0]))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in table)


def markdown(table: Table) -> str:
    header, *lines = table
    rule = ["---"] * len(header)
    return "\n".join("| " + " | ".join(line) + " |" for line in [header, rule, *lines])


def page(records: list[dict]) -> str:
    """All tables, as they stand in docs/performance.md."""
    parts = [machine(records)]
    judged = verdicts(records)
    if len(judged) > 1:
        parts += ["### Bounds", markdown(judged)]
    for title, measures, _ in GROUPS:
        group = [record for record in records if record["measure"] in measures]
        if not group:
            continue
        tables = [figures(record) for record in group]
        parts += [f"### {title}", markdown(tables[0][:1] + [line for table in tables for line in table[1:]])]
        further = [f"- {record['measure']} {line}" for record in group
                   for line in [*notes(record), *(f"warning: {text}" for text in verdict.warnings(record))]]
        if further:
            parts.append("\n".join(further))
    return "\n\n".join(parts)


def machine(records: list[dict]) -> str:
    """Where and when, said once for records that agree."""
    said = []
    for record in records:
        facts = record["facts"]
        line = (f"{facts['date']}, commit {facts['commit']}: {facts['processor']}, Linux {facts['kernel']}; "
                + "; ".join(f"{name}: {version}" for name, version in facts["versions"].items())
                + f". {record['rounds']} rounds of {record['seconds']} s, {record['connections']} connections")
        if line not in (known for known, _ in said):
            said.append((line, []))
        next(measures for known, measures in said if known == line).append(record["measure"])
    return "\n".join(f"- {', '.join(measures)}: {line}." for line, measures in said)


def renew(file: Path, records: list[dict]):
    """Puts the tables between the marks of a page."""
    text = file.read_text()
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(BEGIN) > text.index(END):
        raise ValueError(f"{file} does not have the lines {BEGIN} and {END}, once and in this order")
    head, tail = text.split(BEGIN)[0], text.split(END)[1]
    file.write_text(f"{head}{BEGIN}\n\n{page(records)}\n\n{END}{tail}")
