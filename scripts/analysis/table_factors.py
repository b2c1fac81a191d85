# SPDX-License-Identifier: MIT
"""table_factors.py - what a figure is made of: how long single operations
take, what the cache brings and what the index, and what options cost."""

from table_data import NOTHING, footer, markdown, number, plural
from table_rows import (
    COST,
    WORKLOADS,
    any_threads,
    by_row,
    by_strategy,
    cost,
    is_usual_lock,
    present,
    release,
)

TIMES = (
    ("50 %", "p50_ns"),
    ("99 %", "p99_ns"),
    ("99.9 %", "p999_ns"),
    ("longest", "max_ns"),
)
LATENCY_NOTE = (
    "Service times of single operations in ns, one in some ten microseconds,"
    " the clock's own time (the floor's) included: so many of them took at most"
    " this; medians of the samples'."
)


def latency(results):
    """How long one operation in so many takes."""
    group, rows = results.group("latency"), []
    engine, threads = group.engine().where(lock=is_usual_lock), group.threads()
    workloads = present(WORKLOADS, engine.values("workload"))
    for workload in workloads:
        found = list(by_row(engine.where(workload=workload)))
        floor = group.floor(workload, any_threads)
        for label, cells in [*found, ("floor", floor)]:
            row = [workload, label]
            for count in threads:
                cell = cells.where(threads=count)
                row += [cell.text("latency", name) for _, name in TIMES]
            rows.append([*row, cells.count()])
    headers = ["workload", "strategy"]
    headers += [
        f"{plural(count, 'thread')}: {words}"
        for count in threads
        for words, _ in TIMES
    ]
    table = markdown([*headers, "valid samples"], rows, 2)
    return "\n\n".join([table, LATENCY_NOTE, footer(results, "latency")])


def columns(group):
    """(workload, threads) of what was measured."""
    for workload in present(WORKLOADS, group.engine().values("workload")):
        here = group.where(workload=workload)
        for threads in here.threads():
            yield workload, threads


def column_headers(places, unit):
    return [f"{w}, {plural(t, 'thread')}: {unit}" for w, t in places]


CACHE_NOTE = (
    "Down a column without the cache is what the index brings; ÷ is what the"
    " cache brings to that index. A freed range is used again at once where the"
    " index can (`rcu`, `lockfree`) or a cache stands in front, else after the"
    " next purge."
)


def times(without, with_cache):
    """How many times as fast it is with the cache."""
    before, after = (c.median("ns_per_op") for c in (without, with_cache))
    return number(before / after) if before and after else NOTHING


def cache(results):
    """The index and the cache in front: two factors, told apart."""
    group, rows = results.group("cache"), []
    places = list(columns(group))
    for label, cells in by_strategy(group):
        lines = {"none": [], "percpu": [], "none ÷ percpu": []}
        for workload, threads in places:
            at = cells.where(workload=workload, threads=threads)
            floor = group.floor(workload, threads)
            pair = [at.where(cache=kind) for kind in ("none", "percpu")]
            lines["none"].append(cost(pair[0], floor))
            lines["percpu"].append(cost(pair[1], floor))
            lines["none ÷ percpu"].append(times(*pair))
        for kind, figures in lines.items():
            rows.append([f"`{label}`", release(cells), kind, *figures])
    headers = ["index", "as in", "cache"]
    headers += column_headers(places, "core-ns/op (× floor)")
    table = markdown(headers, rows, 3)
    return "\n\n".join([table, CACHE_NOTE, footer(results, "cache")])


def forms(cells):
    """(what is not usual, its samples), the usual first."""
    rseq = cells.where(percpu="rseq")
    yield "–", rseq.where(hardened=False)
    yield "hardened", rseq.where(hardened=True)
    yield "percpu cas", cells.where(percpu="cas", hardened=False)


def options(results):
    """What the options of one strategy cost."""
    group, rows = results.group("options"), []
    places = list(columns(group))
    for label, cells in by_row(group):
        for form, found in forms(cells):
            at = [found.where(workload=w, threads=t) for w, t in places]
            figures = [cell.spread("ns_per_op") for cell in at]
            rows.append([label, form, *figures])
    headers = ["strategy", "option", *column_headers(places, COST)]
    return "\n\n".join(
        [markdown(headers, rows, 2), footer(results, "options")]
    )
