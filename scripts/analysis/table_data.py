# SPDX-License-Identifier: MIT
"""table_data.py - result files as medians, and tables as Markdown.

A figure is the median of the valid samples of one cell, with half the
interquartile range in percent of it.  Where the machine spoilt every sample the
figure stands in parentheses, as lfv-bench prints it, and is never reckoned
with; where there is none the outcome of the cell's samples says why.
"""

import json
import math
import statistics

SCHEMA = "lfv-results/1"
NOTHING = "–"
PAGES_A_MIB = 256
# Beyond it two round trips of a cache line are of two machines; lfv-bench's.
LINE_FACTOR_MOST = 1.5

# Factors that a reader must know; those that do not vary stand below a table.
FACTORS = (
    "api lock lock_yield cache frames mapping flush worker percpu hardened"
    " nodes cpus touch pin"
).split()

FLOORS = {
    "fix_size": "floor",
    "full_fit": "floor",
    "long_busy_list": "floor",
    "purge_storm": "floor",
    "purge_storm_scattered": "floor",
    "replace": "floor_replace",
    "remote_free": "floor_remote_free",
    "lookup": "floor_lookup",
}


class NoData(Exception):
    """The results do not hold what a table shows."""


def number(value):
    """Three digits, and no exponent: 0.0421, 3.27, 78.5, 624, 23,880; 4."""
    if value >= 100 or value == int(value):
        return f"{value:,.0f}"
    if value >= 10:
        return f"{value:.1f}"
    if value >= 1:
        return f"{value:.2f}"
    if value < 0:
        return f"{value:.3g}"
    return f"{value:.{2 - math.floor(math.log10(value))}f}"


def quantile(ordered, part):
    """Linear between neighbours, as lfv-bench reckons it."""
    place = (len(ordered) - 1) * part
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def spread_percent(values):
    ordered = sorted(values)
    half = (quantile(ordered, 0.75) - quantile(ordered, 0.25)) / 2
    middle = statistics.median(ordered)
    return 100 * half / middle if middle > 0 else 0.0


def line_ns(sample):
    """A cache line's round trip; None: not known, or not to be asked."""
    if not sample["valid"] and not sample.get("off_mode"):
        return None
    return (sample.get("counters") or {}).get("line_transfer_ns")


def same_cpus(samples):
    """Lists of samples with known round trips between the same CPUs."""
    found = {}
    for sample in samples:
        if line_ns(sample):
            key = (sample["threads"], sample.get("pin"))
            found.setdefault(key, []).append(sample)
    return found


def line_reference(samples):
    """The lower median: of the mode of the machine that lasted longest."""
    return statistics.median_low([line_ns(s) for s in samples])


def judge_line_modes(samples):
    """Those taken while the host had moved the CPUs become invalid.

    lfv-bench judges each of its runs by itself; a set joins several, so it is
    done anew over all, by the same rule.  What only this rule had made invalid
    (off_mode) is valid again where it is not apart any more.
    """
    for together in same_cpus(samples).values():
        usual = line_reference(together)
        for sample in together:
            ns = line_ns(sample)
            apart = max(ns, usual) > min(ns, usual) * LINE_FACTOR_MOST
            why = (
                f"a cache line between the CPUs took {ns:.0f} ns, the"
                f" median is {usual:.0f} ns: the host had moved them"
            )
            sample["off_mode"] = apart
            sample["valid"] = not apart
            sample["outcome"] = "invalid" if apart else "measured"
            sample["why_invalid"] = why if apart else None


class Group:
    """Samples that belong together, of one cell or of several."""

    def __init__(self, samples):
        self.all = list(samples)
        self.valid = [s for s in self.all if s["valid"]]

    def where(self, **fields):
        """Those with these values; a callable decides for itself."""

        def fits(sample):
            for name, want in fields.items():
                have = sample.get(name)
                if not (want(have) if callable(want) else have == want):
                    return False
            return True

        return Group(s for s in self.all if fits(s))

    def engine(self):
        return Group(s for s in self.all if s["strategy"] is not None)

    def floor(self, workload, threads):
        name = FLOORS.get(workload, "floor")
        return self.where(strategy=None, workload=name, threads=threads)

    def values(self, name):
        """All values of a field, in order of first appearance."""
        return list(dict.fromkeys(s.get(name) for s in self.all))

    def threads(self):
        return sorted(self.engine().values("threads"))

    def figures(self, *path, spoilt=False):
        """The numbers under path in the valid, or the spoilt, samples."""
        found = []
        invalid = (s for s in self.all if s["outcome"] == "invalid")
        for value in invalid if spoilt else self.valid:
            for name in path:
                value = value.get(name) if isinstance(value, dict) else None
            if isinstance(value, (int, float)):
                found.append(value)
        return found

    def median(self, *path):
        found = self.figures(*path)
        return statistics.median(found) if found else None

    def outcome(self):
        """Why there is no figure."""
        outcomes = {s["outcome"] for s in self.all}
        for name in ("failed", "too slow", "invalid"):
            if name in outcomes:
                return name
        return NOTHING

    def text(self, *path):
        """The median alone."""
        middle = self.median(*path)
        if middle is not None:
            return number(middle)
        if self.valid:
            return NOTHING
        spoilt = self.figures(*path, spoilt=True)
        if not spoilt or self.outcome() != "invalid":
            return self.outcome()
        return f"({number(statistics.median(spoilt))})"

    def spread(self, *path):
        """The median with its spread in percent."""
        found = self.figures(*path)
        text = self.text(*path)
        if len(found) < 2:
            return text
        return f"{text} ±{spread_percent(found):.0f}"

    def speed(self):
        """Mops/s with spread, and core-ns per operation."""
        if not self.valid:
            return self.text("mops")
        return f"{self.spread('mops')} ({self.text('ns_per_op')})"

    def count(self):
        return f"{len(self.valid)}/{len(self.all)}"


SPEED = "Mops/s ± % (core-ns/op)"


class Results:
    """The files of one folder, read when they are asked for."""

    def __init__(self, folder):
        self.folder = folder
        self.documents = {}

    def document(self, name):
        if name not in self.documents:
            path = self.folder / f"{name}.json"
            try:
                found = json.loads(path.read_text(encoding="utf-8"))
            except OSError as error:
                raise NoData(f"{path}: {error.strerror}") from error
            except ValueError as error:
                raise NoData(f"{path}: {error}") from error
            if found.get("schema") != SCHEMA:
                raise NoData(
                    f"{path}: schema is {found.get('schema')!r}, not {SCHEMA!r}"
                )
            judge_line_modes(found["samples"])
            self.documents[name] = found
        return self.documents[name]

    def group(self, name):
        return Group(self.document(name)["samples"])

    def present(self, *names):
        """Which of these are there; at least one."""
        found = [n for n in names if (self.folder / f"{n}.json").exists()]
        if not found:
            raise NoData(f"{self.folder}: no {' or '.join(names)}.json")
        return found


def plural(count, word):
    return f"{count} {word}" + ("" if count == 1 else "s")


def markdown(headers, rows, lefts=1):
    """A table; the first columns are flush left, figures flush right."""
    bars = [":---" if i < lefts else "---:" for i in range(len(headers))]
    lines = [headers, bars, *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def held_constant(group):
    engine, same = group.engine(), []
    for factor in FACTORS:
        found = [v for v in engine.values(factor) if v is not None]
        if len(found) == 1 and len(engine.values(factor)) == 1:
            value = found[0]
            if isinstance(value, bool):
                value = "on" if value else "off"
            same.append(f"{factor.replace('_', '-')} {value}")
    return ", ".join(same)


def outcome_line(group):
    counts = {
        name: sum(s["outcome"] == name for s in group.all)
        for name in ("measured", "invalid", "too slow", "failed")
    }
    return (
        f"{plural(len(group.all), 'sample')}: {counts['measured']} valid,"
        f" {counts['invalid']} invalid (the machine got in the way),"
        f" {counts['too slow']} too slow to set up,"
        f" {counts['failed']} failed. Only the valid ones are in medians; in"
        " parentheses: there is none, and nothing should be compared."
    )


def line_text(group):
    """How long a cache line takes between CPUs, which contention hangs on."""
    texts = []
    for (threads, pin), together in same_cpus(group.all).items():
        at = f"{threads} threads" + (f", pin {pin}" if pin else "")
        texts.append(f"{line_reference(together):.0f} ns ({at})")
    if not texts:
        return ""
    return (
        " A cache line between CPUs, there and back: median"
        f" {', '.join(dict.fromkeys(texts))}."
    )


def footer(results, *names):
    """What was held constant, how good it is, and where it was taken."""
    lines = []
    for name in names:
        document, group = results.document(name), results.group(name)
        machine = document["machine"]
        build = machine.get("build_type")
        if build != "RelWithDebInfo":
            lines.append(f"**Build type {build}: no figures to compare.**")
        if not document["plan"].get("complete"):
            lines.append("**Broken off: not all rounds were taken.**")
        lines.append(
            f"{name}: {held_constant(group)}. {outcome_line(group)}"
            f"{line_text(group)}"
        )
    lines.append(
        "Figures are medians, ± half the interquartile range in %. "
        f"{machine.get('cpu_model')}, "
        f"{plural(machine.get('cpus_allowed'), 'CPU')}, "
        f"{machine.get('kernel')}; lfv {machine.get('commit')}."
    )
    return "<sub>" + "<br>\n".join(lines) + "</sub>"
