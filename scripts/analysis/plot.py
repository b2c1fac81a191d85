#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""plot.py - draws a result file: throughput by threads, one panel a workload.

A point is the median of the valid samples, its whiskers their minimum and
maximum.  Only what was measured is drawn: samples that the bench found invalid
and samples with more threads than CPUs are left out, and counted below the
figure; a point that has no valid sample at all is named there.

usage: plot.py RESULTS.json [--lock L] [-o PREFIX]

writes PREFIX.svg and PREFIX.png, of the samples under lock L, and of those
that have no lock, only.
"""

import argparse
import collections
import json
import math
import pathlib
import statistics
import sys
import textwrap

from table_data import judge_line_modes

SCHEMA = "lfv-results/1"
EXIT_NO_MATPLOTLIB = 77

# Okabe and Ito's colours, which stay apart for the colour-blind; the marker
# keeps the strategies apart on paper.  A strategy looks the same in each plot.
LOOKS = {
    "list": ("#D55E00", "o"),
    "rbtree": ("#E69F00", "s"),
    "augmented": ("#0072B2", "^"),
    "nodes": ("#009E73", "D"),
    "rcu": ("#56B4E9", "v"),
    "lockfree": ("#CC79A7", "P"),
}
OTHER_LOOK = ("#000000", "x")
# Factors that may differ between the lines of a panel, in the order in which
# they are named.
FACTORS = (
    "api lock lock_yield cache frames mapping flush worker percpu hardened"
    " nodes pages align live touch pin"
).split()
WORKLOADS = "fix_size replace remote_free lookup long_busy_list".split()
MAPPINGS = "strict lazy keep".split()
# Workloads that are the cost of the harness; the tables show them.
FLOOR = "floor"
LINE_STYLES = ("-", "--", ":", "-.")
COLUMNS = 3
WIDTH_INCHES = 7.2
PANEL_INCHES = 2.15
MARGIN_INCHES = 1.25
CAPTION_LETTERS = 125  # what a line below the figure holds
DODGE = 0.045  # of the distance between two numbers of threads

Point = collections.namedtuple("Point", "threads median low high count")


def counted(count, thing):
    """1 sample, 2 samples."""
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


class Results:
    """The samples worth drawing, and how many were not."""

    def __init__(self, document, lock=None):
        if document.get("schema") != SCHEMA:
            raise ValueError(
                f"schema is {document.get('schema')!r}, not {SCHEMA!r}"
            )
        self.machine = document.get("machine", {})
        self.cpus = self.machine.get("cpus_allowed")
        self.samples, self.invalid, self.crowded = [], 0, 0
        self.ops = collections.defaultdict(set)
        self.spoilt = []
        for sample in document["samples"]:
            if lock is None or sample.get("lock") in (None, lock):
                self.sort_in(sample)
        varying = [
            f
            for f in FACTORS
            if len({self.word(s, f) for s in self.samples}) > 1
        ]
        self.constant = [f for f in FACTORS if f not in varying]
        self.varying = [f for f in varying if self.tells_apart(f)]

    @staticmethod
    def word(sample, factor):
        return str(sample.get(factor, ""))

    def sort_in(self, sample):
        if sample["workload"].startswith(FLOOR):
            return
        if not sample.get("valid", True) or not sample.get("mops"):
            self.invalid += 1
            self.spoilt.append(sample)
        elif self.is_crowded(sample):
            self.crowded += 1
        else:
            self.samples.append(sample)
            self.ops[sample["workload"]].add(sample.get("op"))

    def is_crowded(self, sample):
        return isinstance(self.cpus, int) and sample["threads"] > self.cpus

    def without_point(self):
        """Names of what was run and has no valid sample, in order."""
        drawn = {self.cell(s) for s in self.samples}
        names = [
            self.cell(s)
            for s in sorted(self.spoilt, key=self.place)
            if self.cell(s) not in drawn and not self.is_crowded(s)
        ]
        return list(dict.fromkeys(names))

    def cell(self, sample):
        """What one point is of: list long_busy_list 2 threads."""
        words = [sample["strategy"], sample["workload"]]
        words += [self.word(sample, f) for f in self.varying]
        threads = counted(sample["threads"], "thread")
        return " ".join([*words, threads])

    def tells_apart(self, factor):
        """Whether the factor varies within a panel for one strategy."""
        seen = collections.defaultdict(set)
        for s in self.samples:
            seen[self.panel(s), s["strategy"]].add(self.word(s, factor))
        return any(len(words) > 1 for words in seen.values())

    def panel(self, sample):
        """The workload, and its operation where it has more than one."""
        workload = sample["workload"]
        if len(self.ops[workload]) == 1:
            return workload
        return f"{workload}: {sample['op']}"

    @staticmethod
    def place(sample):
        """Panels as in WORKLOADS, lines as in LOOKS, what is new at the end."""
        workload, strategy = sample["workload"], sample["strategy"]
        looks, mapping = list(LOOKS), sample.get("mapping")
        return (
            WORKLOADS.index(workload) if workload in WORKLOADS else 99,
            workload,
            sample.get("op") or "",
            looks.index(strategy) if strategy in looks else 99,
            MAPPINGS.index(mapping) if mapping in MAPPINGS else 99,
        )

    def series(self, sample):
        name = sample["strategy"]
        variant = sample.get("variant")
        # What is the form of no release has its own name there.
        if variant and variant != name:
            release = str(variant).replace("linux-", "")
            name += f" (Linux {release})"
        extra = [self.word(sample, f) for f in self.varying]
        return sample["strategy"], ", ".join([name] + extra)

    def panels(self):
        """{panel: {(strategy, label): [Point]}}, in a fixed order.

        Samples are taken in an order that is mixed on purpose.
        """
        groups = {}
        for s in sorted(self.samples, key=self.place):
            lines = groups.setdefault(self.panel(s), {})
            line = lines.setdefault(self.series(s), {})
            line.setdefault(s["threads"], []).append(s["mops"])
        return {
            panel: {
                key: [
                    Point(t, statistics.median(v), min(v), max(v), len(v))
                    for t, v in sorted(line.items())
                ]
                for key, line in lines.items()
            }
            for panel, lines in groups.items()
        }

    def note(self):
        same = []
        for factor in self.constant:
            word = self.word(self.samples[0], factor)
            if word and factor in ("api", "lock", "cache", "mapping", "worker"):
                same.append(f"{factor} {word}")
        return ", ".join(same)

    def left_out(self):
        parts = []
        if self.invalid:
            parts.append(f"{counted(self.invalid, 'invalid sample')} left out")
        if self.crowded:
            many = counted(self.crowded, "sample")
            parts.append(f"{many} with more threads than CPUs left out")
        return parts

    def where(self):
        model = self.machine.get("cpu_model")
        words = [str(model)] if model else []
        if self.cpus:
            words.append(counted(self.cpus, "CPU"))
        return ", ".join(words)


def tick_label(value, _position):
    """1, 0.01, 300: as people write them, without exponents."""
    return f"{value:.6f}".rstrip("0").rstrip(".")


def scale_throughput(axes, lines, ticker):
    lows = [p.low for points in lines.values() for p in points]
    highs = [p.high for points in lines.values() for p in points]
    bottom, top = math.log10(min(lows)), math.log10(max(highs))
    # At least one decade, so that a narrow range does not look like a wide one.
    middle, half = (bottom + top) / 2, max((top - bottom) / 2 * 1.15, 0.5)
    axes.set_yscale("log")
    axes.set_ylim(10 ** (middle - half), 10 ** (middle + half))
    subs = (1, 2, 5) if half < 1 else (1,)
    axes.yaxis.set_major_locator(ticker.LogLocator(subs=subs, numticks=12))
    axes.yaxis.set_major_formatter(ticker.FuncFormatter(tick_label))
    axes.yaxis.set_minor_formatter(ticker.NullFormatter())


def draw_panel(axes, lines, places, styles):
    middle = (len(lines) - 1) / 2
    for number, ((strategy, label), points) in enumerate(lines.items()):
        colour, marker = LOOKS.get(strategy, OTHER_LOOK)
        shift = (number - middle) * DODGE
        axes.errorbar(
            [places[p.threads] + shift for p in points],
            [p.median for p in points],
            yerr=[
                [p.median - p.low for p in points],
                [p.high - p.median for p in points],
            ],
            color=colour,
            marker=marker,
            linestyle=styles[label],
            linewidth=1,
            markersize=4,
            capsize=2,
            capthick=0.7,
            elinewidth=0.7,
            label=label,
        )


def line_styles(panels):
    """Lines of one strategy differ in style, as they share its colour."""
    styles, count = {}, collections.Counter()
    for lines in panels.values():
        for strategy, label in lines:
            if label not in styles:
                style = LINE_STYLES[count[strategy] % len(LINE_STYLES)]
                styles[label] = style
                count[strategy] += 1
    return styles


def caption(results, panels):
    counts = {
        p.count
        for lines in panels.values()
        for points in lines.values()
        for p in points
    }
    low, high = min(counts), max(counts)
    samples = counted(high, "sample")
    if low != high:
        samples = f"{low} to {samples}"
    first = f"Median of {samples}; whiskers: minimum and maximum"
    lines = ["; ".join([first] + results.left_out()) + "."]
    missing = results.without_point()
    if missing:
        text = f"No valid sample: {', '.join(missing)}."
        lines += textwrap.wrap(text, CAPTION_LETTERS)
    lines += [text for text in (results.note(), results.where()) if text]
    return "\n".join(lines)


def draw(results, pyplot, ticker):
    panels = results.panels()
    counts = sorted({s["threads"] for s in results.samples})
    places = {threads: i for i, threads in enumerate(counts)}
    styles = line_styles(panels)
    columns = min(COLUMNS, len(panels) + 1)
    rows = math.ceil((len(panels) + 1) / columns)
    height = rows * PANEL_INCHES + MARGIN_INCHES
    figure, grid = pyplot.subplots(
        rows, columns, figsize=(WIDTH_INCHES, height), squeeze=False
    )
    cells = list(grid.flat)
    handles = {}
    for axes, (panel, lines) in zip(cells, panels.items()):
        draw_panel(axes, lines, places, styles)
        axes.set_title(panel)
        axes.set_xticks(range(len(counts)), [str(c) for c in counts])
        axes.set_xlim(-0.4, len(counts) - 0.6)
        axes.set_xlabel("threads")
        axes.set_ylabel("Mops/s")
        axes.grid(axis="y", linewidth=0.4, color="#dddddd")
        axes.set_axisbelow(True)
        scale_throughput(axes, lines, ticker)
        handles.update(zip(*reversed(axes.get_legend_handles_labels())))
    for axes in cells[len(panels) :]:
        axes.axis("off")
    cells[len(panels)].legend(
        handles.values(), handles.keys(), loc="center left", frameon=False
    )
    below = caption(results, panels)
    figure.text(0.012, 0.012, below, fontsize=7, va="bottom", color="#444444")
    bottom = 0.13 * (below.count("\n") + 1) / height
    figure.tight_layout(rect=(0, bottom, 1, 1), w_pad=1.2, h_pad=1.2)
    figure.align_ylabels()
    return figure


def parse(arguments):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("results", type=pathlib.Path)
    parser.add_argument("--lock", help="this lock kind, and none")
    parser.add_argument("-o", dest="prefix", type=pathlib.Path)
    return parser.parse_args(arguments)


def main(arguments):
    options = parse(arguments)
    try:
        import matplotlib
    except ImportError:
        print(
            "plot.py: matplotlib is missing (Debian: python3-matplotlib);"
            " the tables stand without it",
            file=sys.stderr,
        )
        return EXIT_NO_MATPLOTLIB
    matplotlib.use("Agg")
    from matplotlib import pyplot, ticker

    pyplot.rcParams.update(
        {
            "font.size": 8,
            "axes.titlesize": 9,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "svg.fonttype": "none",
            # The same results give the same file.
            "svg.hashsalt": "lfv",
        }
    )
    try:
        document = json.loads(options.results.read_text(encoding="utf-8"))
        judge_line_modes(document.get("samples", []))
        results = Results(document, options.lock)
    except (OSError, ValueError, KeyError) as error:
        print(f"plot.py: {options.results}: {error}", file=sys.stderr)
        return 1
    if not results.samples:
        print(f"plot.py: {options.results}: nothing to draw", file=sys.stderr)
        return 1
    figure = draw(results, pyplot, ticker)
    prefix = options.prefix or options.results.with_suffix("")
    for ending, metadata in ((".svg", {"Date": None}), (".png", None)):
        path = f"{prefix}{ending}"
        figure.savefig(path, dpi=200, metadata=metadata)
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
