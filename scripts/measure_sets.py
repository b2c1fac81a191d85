# SPDX-License-Identifier: MIT
"""measure_sets.py - what scripts/measure takes: sets, and the commands of each.

A set is one file of results; its parts are commands of lfv-bench, for not all
that is compared is a product of axes.
"""

import collections
import os
import pathlib

ROOT = pathlib.Path(__file__).resolve().parent.parent
TRACES = "tests/fixtures/traces"

FOUR = "list,rbtree,augmented,nodes"
LINUX = "list,list-2.6.24,rbtree-2.6.28,rbtree,augmented-5.10,augmented,nodes"
INDEXES = "augmented,nodes,rcu,lockfree"
KEPT = "lockfree+mapping=keep"
FREE = f"rcu,lockfree,{KEPT}"
ROWS = f"{FOUR},{FREE}"
PAIRS = "fix_size,replace,remote_free,lookup"
THREE = "fix_size,replace,remote_free"


class Pace:
    """How long and how often: fully, or just enough to see that it works."""

    def __init__(self, quick):
        self.rounds = 1 if quick else 7
        self.replay_rounds = 1 if quick else 3
        self.duration_ms = 2 if quick else 100
        self.limit_ms = 300 if quick else 2000
        # Half of it is for ageing 100,000 live areas.
        self.growth_limit_ms = 300 if quick else 8000
        self.live = 1000 if quick else 100000
        lives = "100,1000" if quick else "100,1000,10000,100000,1000000"
        self.lives = lives
        # One operation in some ten microseconds is timed by itself, and 99.9 %
        # of them are a figure from 10,000 on.
        self.latency_ms = 2 if quick else 1000

    def duration(self, name):
        return self.latency_ms if name == "latency" else self.duration_ms

    def flags(self, name):
        limit = self.growth_limit_ms if name == "growth" else self.limit_ms
        duration = self.duration(name)
        return [f"--duration={duration}ms", f"--cell-limit={limit}ms"]


Set = collections.namedtuple("Set", "name what rounds parts")


def words(**axes):
    """strategy="list" becomes --strategy=list."""
    return [f"--{name.replace('_', '-')}={axes[name]}" for name in axes]


def having(known, strategies):
    """Those of the list that this lfv-bench has; known is None: all."""
    found = [
        row
        for row in strategies.split(",")
        if known is None or row.partition("+")[0] in known
    ]
    return ",".join(found)


def recordings(quick):
    """All of them, or the two smallest."""
    kinds = ("*.trace.gz", "*.perf-script.gz")
    files = [f for kind in kinds for f in (ROOT / TRACES).glob(kind)]
    if quick:
        files = sorted(files, key=lambda file: file.stat().st_size)[:2]
    return sorted(f"{TRACES}/{file.name}" for file in files)


def nodes_parts(pace):
    for count in (2, 64):
        axes = {"strategy": "nodes", "lock": "fas,ticket"}
        axes.update(nodes=count, cpus=count, threads="cpus")
        yield words(workload=PAIRS, **axes)
        yield words(workload="long_busy_list", live=pace.live, **axes)


def peers_parts(pace, two):
    axes = {"strategy": "rbtree,augmented", "lock": "fas,ticket"}
    axes.update(cpus=2, threads=two)
    yield words(workload=PAIRS, **axes)
    yield words(workload="long_busy_list", live=pace.live, **axes)


def generations_parts(ends):
    yield words(workload="fix_size", pages=1, strategy=LINUX, threads=ends)
    yield words(
        workload="full_fit,long_busy_list,random_size,fix_align"
        ",random_size_align",
        strategy=LINUX,
        threads=ends,
    )
    yield words(
        workload="fix_size",
        api="vmalloc",
        touch="page",
        pages=4,
        strategy=LINUX,
        threads=ends,
    )


def strategies_parts(pace, known, two):
    axes = {"strategy": having(known, ROWS), "threads": two}
    yield words(workload=PAIRS, **axes)
    yield words(workload="long_busy_list", live=pace.live, **axes)


def latency_parts(known, two):
    axes = {"strategy": having(known, ROWS), "threads": two}
    yield words(workload="replace", **axes)


def cache_parts(known, two):
    """Two factors: the index, and the cache in front of it."""
    yield words(
        workload=THREE,
        strategy=having(known, INDEXES),
        cache="none,percpu",
        mapping="strict",
        threads=two,
    )


def options_parts(two):
    axes = {"workload": THREE, "strategy": KEPT}
    yield words(hardened="off,on", percpu="rseq", threads=two, **axes)
    yield words(percpu="cas", threads=two, **axes)


def purge_parts(known, two):
    axes = {"workload": "purge_storm,purge_storm_scattered"}
    axes["strategy"] = having(known, INDEXES)
    axes.update(api="vmalloc", touch="page")
    yield words(mapping="lazy,strict", flush="remap,guard", threads=two, **axes)


def vmalloc_parts(known, two):
    axes = {"workload": "fix_size", "api": "vmalloc", "threads": two}
    axes["strategy"] = having(known, ROWS)
    yield words(pages="1,4,16,64,256", touch="none,page", **axes)


def locks_parts():
    yield words(
        workload=PAIRS + ",long_busy_list",
        strategy=FOUR,
        lock="qspin,fas,ticket,pthread-mutex",
        threads="cpus",
    )


def growth_parts(pace, known):
    yield words(
        workload="replace",
        strategy=having(known, f"rbtree,augmented,nodes,{FREE}"),
        live=pace.lives,
        threads=1,
    )


def run_sets(pace, known):
    """(name, what it is, its parts) of all sets but the recordings."""
    cpus = len(os.sched_getaffinity(0))
    two = "1,2" if cpus > 1 else "1"
    ends = f"1,{cpus}" if cpus > 1 else "1"
    return (
        (
            "strategies",
            "the generations and what is without locks",
            strategies_parts(pace, known, two),
        ),
        (
            "latency",
            "how long single operations take",
            latency_parts(known, two),
        ),
        (
            "cache",
            "what the cache brings, and what the index",
            cache_parts(known, two),
        ),
        (
            "options",
            "hardened, and per-CPU stocks by compare-and-swap",
            options_parts(two),
        ),
        ("locks", "the four generations on four lock kinds", locks_parts()),
        ("nodes", "nodes with 2 and 64 of them", nodes_parts(pace)),
        (
            "peers",
            "rbtree and augmented as on 2 CPUs, unfair and fair lock",
            peers_parts(pace, two),
        ),
        (
            "generations",
            "all Linux forms on what run_test_mask=63 runs",
            generations_parts(ends),
        ),
        (
            "purge",
            "what purges of written areas cost",
            purge_parts(known, two),
        ),
        ("vmalloc", "frames and mappings, too", vmalloc_parts(known, two)),
        (
            "growth",
            "cost by the number of live areas",
            growth_parts(pace, known),
        ),
    )


def make_sets(quick, known=None):
    """Every set; `known`: the strategies there are, None for all."""
    pace, sets = Pace(quick), []
    for name, what, parts in run_sets(pace, known):
        commands = [["run", *part, *pace.flags(name)] for part in parts]
        sets.append(Set(name, what, pace.rounds, commands))
    rows = having(known, f"{LINUX},{FREE}")
    replay = ["replay", *recordings(quick), f"--strategy={rows}"]
    what = "recorded traffic on all strategies"
    return sets + [Set("replay", what, pace.replay_rounds, [replay])]
