"""What the samples say: medians, ratios by round, and whether the bounds of the project hold."""

import statistics
from dataclasses import dataclass

from measures import TWO_THREADS
from peers import CONTROL, NEWEST, REFERENCE, SUBJECT

# Below this a proxy waited for the load: its requests per second say nothing, and its processor time
# by request is too high, since it woke up for fewer requests at once.
BUSY = 0.9
# What else may run, of one processor, without being named.
OTHERS = 0.05
# A control that is worse than this excuses nothing.
NOISE = 1.10


@dataclass
class Bound:
    """`ratio`: to the reference, by round. `not worse`: a ratio of 1, or up to the upper quartile of the
    control, which is noise, but no more than NOISE. `at most` and `at least`: the figure itself.

    Under TLS the project's bounds are of HAProxy 3.5 *or* 2.6: `instead` takes the reference's place where it
    was measured, and the ratio to the reference stands in the table of figures."""

    measure: str
    figure: str
    kind: str
    limit: float
    reference: str = REFERENCE
    subject: str = SUBJECT
    instead: str | None = None


BOUNDS = (
    Bound("a", "cpu_us", "ratio", 0.90),
    Bound("b", "cpu_us", "ratio", 0.95),
    Bound("c", "cpu_us", "ratio", 0.90),
    Bound("d", "cpu_us", "ratio", 0.95),
    Bound("ek", "cpu_us", "ratio", 0.70, instead=NEWEST),
    Bound("eh", "cpu_us", "ratio", 0.65, instead=NEWEST),
    Bound("f", "bytes", "at most", 500),
    Bound("t", "cpu_us", "ratio", 1.10, SUBJECT, SUBJECT + TWO_THREADS),
    Bound("r", "reuse", "at least", 0.999),
    Bound("l50", "p50_us", "not worse", 1),
    Bound("l50", "p999_us", "not worse", 1),
    Bound("l80", "p50_us", "not worse", 1),
    Bound("l80", "p999_us", "not worse", 1),
)

# Those whose load has to leave the proxy no rest.
SATURATING = ("a", "b", "c", "d", "ek", "eh")


@dataclass
class Spread:
    """Median and quartiles."""

    middle: float
    low: float
    high: float

    @classmethod
    def of(cls, values: list[float]) -> "Spread":
        low, middle, high = statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else values * 3
        return cls(middle, low, high)

    def __str__(self) -> str:
        return f"{self.middle:.3f} [{self.low:.3f} .. {self.high:.3f}]"


def ratios(samples: dict, figure: str, subject: str, reference: str) -> Spread | None:
    """By round, since what disturbs a round disturbs neighbours alike."""
    pairs = zip(samples.get(subject, []), samples.get(reference, []))
    values = [one[figure] / other[figure] for one, other in pairs if other[figure]]
    return Spread.of(values) if values else None


def median(samples: list[dict], figure: str) -> float:
    return statistics.median(sample[figure] for sample in samples)


@dataclass
class Verdict:
    """One bound, and whether it holds."""

    measure: str
    figure: str
    bound: str
    value: str
    control: str
    holds: bool
    why: str = ""


def judge(record: dict) -> list[Verdict]:
    """All bounds of a measure whose subject and reference were both measured."""
    verdicts = []
    for bound in BOUNDS:
        if bound.measure == record["measure"] and bound.subject in record["samples"]:
            verdict = _judge(bound, record["samples"])
            if verdict:
                verdicts.append(verdict)
    return verdicts


def _judge(bound: Bound, samples: dict) -> Verdict | None:
    control = ratios(samples, bound.figure, CONTROL, REFERENCE)
    limit = bound.limit
    if bound.kind in ("ratio", "not worse"):
        reference = bound.instead if bound.instead in samples else bound.reference
        ratio = ratios(samples, bound.figure, bound.subject, reference)
        if ratio is None:
            return None
        if bound.kind == "not worse" and control:
            limit = max(limit, min(control.high, NOISE))
        text, holds, value = f"at most {limit:.2f}x {reference}", ratio.middle <= limit, str(ratio)
    else:
        figure = median(samples[bound.subject], bound.figure)
        holds = figure <= limit if bound.kind == "at most" else figure >= limit
        text, value = f"{bound.kind} {limit:g}", f"{figure:.5g}"
    errors = sum(sample.get("errors", 0) for sample in samples[bound.subject])
    why = f"{errors} requests failed" if errors else ""
    return Verdict(bound.measure, bound.figure, text, value, str(control or "not measured"),
                   holds and not errors, why)


def warnings(record: dict) -> list[str]:
    """What makes a measure's figures doubtful."""
    found = []
    samples = record["samples"]
    # Samples of an older bench do not have it.
    if "others" not in record:
        found.append("what else ran on the machine was not watched")
    elif record["others"] > OTHERS:
        found.append(f"the machine was not ours alone: {record['others']:.2f} of a processor went to others")
    for name, taken in samples.items():
        errors = sum(sample.get("errors", 0) for sample in taken)
        if errors:
            found.append(f"{name}: {errors} requests failed")
    if record["measure"] in SATURATING:
        idle = [f"{name} {busy:.2f}" for name, taken in samples.items() if (busy := median(taken, "busy")) < BUSY]
        if idle:
            found.append(f"not the bottleneck, so that req/s say nothing and cpu time by request is rather too "
                         f"high: {', '.join(idle)} (busy, of {BUSY} wanted)")
    if "late_p99_us" in next(iter(samples.values()))[0]:
        late = [f"{name} {median(taken, 'late_p99_us'):.0f} us" for name, taken in samples.items()
                if median(taken, "late_p99_us") > median(taken, "p99_us") / 2]
        if late:
            found.append("most of the worst latencies is the load's own lateness (its processor was busy, or "
                         f"every connection waited for an answer): {', '.join(late)}")
    return found
