# SPDX-License-Identifier: MIT
"""table_views.py - one function a table: results in, Markdown out."""

import published
import table_factors
from table_data import (
    NOTHING,
    PAGES_A_MIB,
    SPEED,
    Group,
    NoData,
    footer,
    markdown,
    plural,
)
from table_rows import (
    APIS,
    COST,
    LOCKS,
    PRICE,
    WORKLOADS,
    any_threads,
    by_row,
    by_strategy,
    floor_ratio,
    is_usual_lock,
    present,
    price_cells,
    release,
    speed_cells,
    speed_headers,
)

def heading(cells, workload):
    lives = cells.values("live")
    many = f", {lives[0]:,} live areas a thread" if lives[0] else ""
    return f"**{workload}**{many if len(lives) == 1 else ''}, lock qspin"


def compare(results):
    """Strategies side by side, a table for each workload."""
    name = results.present("strategies", "locks", "compare")[0]
    group = results.group(name)
    engine = group.engine().where(lock=is_usual_lock)
    threads, parts = engine.threads(), []
    if not threads:
        raise NoData(f"{name}.json: no samples with lock qspin")
    for workload in present(WORKLOADS, engine.values("workload")):
        floor = group.floor(workload, any_threads)
        here = engine.where(workload=workload)
        rows = [
            [
                *(label, release(g), *speed_cells(g, threads, floor)),
                *price_cells(g, threads),
            ]
            for label, g in by_row(here)
        ]
        cells = speed_cells(floor, threads)
        rows.append(["floor", "", *cells, NOTHING, NOTHING, floor.count()])
        headers = ["strategy", "as in", *speed_headers(threads), *PRICE]
        parts += [heading(here, workload), markdown(headers, rows, 2)]
    parts.append(f"Prices are those at {plural(threads[-1], 'thread')}.")
    if None in engine.values("lock"):
        parts[-1] += " What has no lock is beside qspin as it is."
    return "\n\n".join([*parts, footer(results, name)])


def locks(results):
    """Each strategy on each lock kind, a table for each number of threads."""
    group = results.group("locks")
    kinds, parts = present(LOCKS, group.engine().values("lock")), []
    for threads in group.threads():
        here = group.engine().where(threads=threads)
        rows = []
        for workload in present(WORKLOADS, here.values("workload")):
            floor = group.floor(workload, threads)
            for label, cells in by_strategy(here.where(workload=workload)):
                speeds = [cells.where(lock=kind).speed() for kind in kinds]
                rows.append([workload, f"`{label}`", *speeds, floor.speed()])
        headers = ["workload", "strategy"]
        headers += [f"{kind}: {SPEED}" for kind in [*kinds, "floor"]]
        parts.append(f"**{plural(threads, 'thread')}**")
        parts.append(markdown(headers, rows, 2))
    return "\n\n".join([*parts, footer(results, "locks")])


def peer_rows(results, names):
    """(label, samples with their floors) of each design that was measured."""
    for name in names:
        group = results.group(name)
        for strategy, cells in by_strategy(group):
            for nodes in cells.values("nodes"):
                for lock in present(LOCKS, cells.values("lock")):
                    label = f"`{strategy}`"
                    label += f", {nodes} nodes" if nodes else ""
                    here = cells.where(nodes=nodes, lock=lock)
                    yield [label, release(cells), lock], here, group


def peers(results):
    """Core-ns and multiples of the run's own floor, a row a design."""
    names = results.present("nodes", "peers")
    found = list(peer_rows(results, names))
    columns = sorted(
        {
            (WORKLOADS.index(s["workload"]), s["threads"])
            for _, cells, _ in found
            for s in cells.all
            if s["workload"] in WORKLOADS
        }
    )
    columns = [(WORKLOADS[place], threads) for place, threads in columns]
    speeds, ratios = [], []
    for label, cells, group in found:
        pairs = [
            (cells.where(workload=w, threads=t), group.floor(w, t))
            for w, t in columns
        ]
        speeds.append(label + [cell.spread("ns_per_op") for cell, _ in pairs])
        ratios.append(label + [floor_ratio(*pair) for pair in pairs])
    names_of = ["strategy", "as in", "lock"]
    titles = [f"{w}, {plural(t, 'thread')}" for w, t in columns]
    costs = [f"{words}: {COST}" for words in titles]
    times = [f"{words}: × floor" for words in titles]
    return "\n\n".join(
        [
            markdown(names_of + costs, speeds, 3),
            "In multiples of the floor row of the same run:",
            markdown(names_of + times, ratios, 3),
            footer(results, *names),
        ]
    )


def title(workload, pages):
    """The other workloads have sizes of their own."""
    if workload != "fix_size":
        return workload
    return f"{workload} of {plural(int(pages), 'page')}"


def tests_of(engine):
    """(api, workload, pages) of what was run, in the order of the masks."""
    for api in present(APIS, engine.values("api")):
        here = engine.where(api=api)
        for workload in present(published.ALL_TESTS, here.values("workload")):
            for pages in here.where(workload=workload).values("pages"):
                yield api, workload, pages


def generations(results):
    """What each form costs, and the published ratios beside ours."""
    group = results.group("generations")
    engine = group.engine()
    forms, rows = list(by_strategy(engine)), []
    for api, workload, pages in tests_of(engine):
        test = {"api": api, "workload": workload, "pages": pages}
        for threads in group.threads():
            found = [g.where(threads=threads, **test) for _, g in forms]
            costs = [cell.spread("ns_per_op") for cell in found]
            rows.append([title(workload, pages), api, str(threads), *costs])
    headers = ["test", "api", "threads"]
    headers += [f"`{label}` ({release(g)}): {COST}" for label, g in forms]
    proofs = published.rows(group)
    return "\n\n".join(
        [
            markdown(headers, rows, 2),
            markdown(published.HEADERS, proofs, len(published.HEADERS)),
            published.RULE,
            footer(results, "generations"),
        ]
    )


PURGE_COLUMNS = (
    ("unmapping calls/free", "flushes_per_free"),
    ("pages/unmapping call", "pages_per_flush"),
    ("TLB shoot-downs/free", "tlb_shootdowns_per_op"),
    ("all system calls/pair", "calls_per_pair"),
)
PURGE_NOTE = (
    "An unmapping call is one mmap over a run (flush remap), or one guard call"
    " for up to 1,024 runs (flush guard). The call that places an area's guard"
    " page when it is mapped is none of them; it is in the last of the counts."
)


def with_flushes(sample):
    """The sample and what its counters say about unmapping."""
    counters = sample["counters"]
    names = ("ops_all", "map_calls", "unmap_calls", "guard_calls")
    pairs, maps, unmaps, guards = (counters.get(name) or 0 for name in names)
    # Each area of this workload has one guard page.  Without guard markers
    # there are no guard calls, neither to place nor to flush.
    flushes = unmaps + guards - min(guards, pairs)
    more = {}
    if pairs:
        more["flushes_per_free"] = flushes / pairs
        more["calls_per_pair"] = (maps + unmaps + guards) / pairs
    if flushes:
        more["pages_per_flush"] = counters.get("unmapped_pages", 0) / flushes
    return {**sample, "counters": {**counters, **more}}


def purge(results):
    """System calls and shoot-downs of a free, by mapping and flush."""
    group = results.group("purge")
    group = Group(with_flushes(sample) for sample in group.all)
    rows, threads = [], group.threads()[-1]
    here = group.engine().where(threads=threads)
    for workload in here.values("workload"):
        for label, cells in by_strategy(here.where(workload=workload)):
            for mapping in cells.values("mapping"):
                for flush in cells.values("flush"):
                    cell = cells.where(mapping=mapping, flush=flush)
                    rows.append(
                        [workload, f"`{label}`", mapping, flush]
                        + [cell.text("counters", c) for _, c in PURGE_COLUMNS]
                        + [cell.spread("ns_per_op")]
                        + [cell.text("price", "pages_retained")]
                        + [cell.text("price", "mappings"), cell.count()]
                    )
    headers = ["workload", "strategy", "mapping", "flush"]
    headers += [title for title, _ in PURGE_COLUMNS]
    headers += ["core-ns/free ± %", "retained, pages", "kernel mappings"]
    return "\n\n".join(
        [
            f"**{plural(threads, 'thread')}**",
            markdown([*headers, "valid samples"], sorted_rows(rows), 4),
            PURGE_NOTE,
            footer(results, "purge"),
        ]
    )


def sorted_rows(rows):
    """By the first four columns, whatever order the schedule had."""
    return sorted(rows, key=lambda row: row[:4])


def vmalloc(results):
    """Frames and mappings, too: a table for each size and touch."""
    group = results.group("vmalloc")
    threads, parts = group.threads(), []
    engine, floor = group.engine(), group.where(strategy=None)
    for touch in sorted(engine.values("touch"), key=str):
        rows = []
        for pages in sorted(engine.values("pages"), key=int):
            here = engine.where(touch=touch, pages=pages)
            for label, cells in by_row(here):
                most = cells.where(threads=threads[-1])
                speeds = speed_cells(cells, threads, floor)
                prices = [most.text("price", "mappings")]
                prices += price_cells(cells, threads)
                rows.append([pages, label, *speeds, *prices])
        cells = speed_cells(floor, threads)
        rows.append(["", "floor", *cells, *3 * [NOTHING], floor.count()])
        headers = ["pages", "strategy", *speed_headers(threads)]
        headers += ["kernel mappings", *PRICE]
        words = "each page written to" if touch == "page" else "untouched"
        parts += [f"**vmalloc and vfree, {words}**", markdown(headers, rows, 2)]
    return "\n\n".join([*parts, footer(results, "vmalloc")])


def growth(results):
    """What an operation costs as the live areas grow in number."""
    group = results.group("growth")
    lives = sorted(group.engine().values("live"))
    rows = []
    for label, cells in by_row(group):
        at = [cells.where(live=live) for live in lives]
        ends = [at[0].median("ns_per_op"), at[-1].median("ns_per_op")]
        times = f"{ends[1] / ends[0]:.3g}" if all(ends) else NOTHING
        costs = [cell.spread("ns_per_op") for cell in at]
        rows.append([label, *costs, times])
    headers = ["strategy"]
    headers += [f"{live:,} live: {COST}" for live in lives]
    headers.append(f"{lives[-1]:,} ÷ {lives[0]:,} live")
    parts = [markdown(headers, rows), age_note(group)]
    return "\n\n".join([*parts, footer(results, "growth")])


def age_note(group):
    """Areas that were just taken lie packed: who was measured so?"""
    young = []
    for label, cells in by_row(group):
        for live in sorted(cells.values("live")):
            cell = cells.where(live=live)
            aged = cell.median("counters", "aged_replacements")
            if aged is not None and aged < live:
                young.append(f"{label} {100 * aged / live:.0f} % of {live:,}")
    text = "Before it was measured each live set was replaced once over"
    if not young:
        return text + "."
    names = ", ".join(young)
    return f"{text}; in the time given, of these only a part: {names}."


def mib(group, counter):
    middle = group.median("counters", counter)
    return NOTHING if middle is None else f"{middle / PAGES_A_MIB:.1f}"


def replay_row(label, cells):
    worst = cells.median("counters", "worst_ns")
    return [
        label,
        release(cells),
        "right" if len(cells.valid) == len(cells.all) else cells.outcome(),
        cells.text("counters", "failed"),
        cells.text("counters", "overlaps"),
        mib(cells, "span_pages_max"),
        mib(cells, "retained_pages_max"),
        cells.text("counters", "purges"),
        cells.text("counters", "system_calls"),
        cells.spread("ns_per_op"),
        NOTHING if worst is None else f"{worst / 1000:.1f}",
    ]


REPLAY_HEADERS = (
    "strategy",
    "as in",
    "answers",
    "failed",
    "overlaps",
    "span, MiB",
    "retained at most, MiB",
    "purges",
    "system calls",
    COST,
    "worst op, µs",
)


def replay(results):
    """Every recording through every strategy."""
    group, parts = results.group("replay"), []
    for workload in group.engine().values("workload"):
        cells = group.where(workload=workload)
        rows = [replay_row(*pair) for pair in by_row(cells)]
        title = f"**{workload.removeprefix('replay:')}**: "
        recorded = mib(cells, "recorded_span_pages_max")
        allocs, frees = (cells.text("counters", n) for n in ("allocs", "frees"))
        title += f"{allocs} allocations, {frees} frees; the recorded kernel's"
        title += f" own areas spread over {recorded} MiB"
        parts += [title, markdown(REPLAY_HEADERS, rows, 3)]
    return "\n\n".join([*parts, footer(results, "replay")])


# The tables by name, in the order in which they are printed.
TABLES = {
    "compare": compare,
    "latency": table_factors.latency,
    "cache": table_factors.cache,
    "options": table_factors.options,
    "locks": locks,
    "peers": peers,
    "generations": generations,
    "purge": purge,
    "vmalloc": vmalloc,
    "growth": growth,
    "replay": replay,
}
