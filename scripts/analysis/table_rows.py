# SPDX-License-Identifier: MIT
"""table_rows.py - the rows and columns that several tables share."""

from table_data import NOTHING, number, plural

COST = "core-ns/op ± %"

# In these orders, and only what was measured.
WORKLOADS = "fix_size replace remote_free lookup long_busy_list".split()
LOCKS = "qspin fas ticket pthread-mutex".split()
MAPPINGS = "strict lazy keep".split()
APIS = "get_vm_area vmalloc".split()


def release(group):
    """What the form of no release has as its variant is its own name."""
    first = group.all[0]
    variant = first.get("variant") or ""
    return NOTHING if variant == first["strategy"] else f"{variant}"


def present(order, found):
    """What was found, known names first and in their order."""
    known = [name for name in order if name in found]
    return known + [name for name in found if name not in order]


def by_strategy(group):
    """(name, its samples), in the order of the generations."""
    order = (
        "list list-2.6.24 rbtree-2.6.28 rbtree augmented-5.10 augmented nodes"
        " rcu lockfree"
    ).split()
    for name in present(order, group.engine().values("strategy")):
        yield name, group.where(strategy=name)


def by_row(group):
    """(label, its samples): a strategy with two mappings is two rows."""
    for name, cells in by_strategy(group):
        mappings = present(MAPPINGS, cells.values("mapping"))
        for mapping in mappings:
            more = f", {mapping}" if len(mappings) > 1 else ""
            yield f"`{name}`{more}", cells.where(mapping=mapping)


def is_usual_lock(lock):
    """Linux's own kind, or no lock at all."""
    return lock in ("qspin", None)


def floor_ratio(cell, floor):
    ours, least = cell.median("ns_per_op"), floor.median("ns_per_op")
    if not ours or not least:
        return cell.outcome() if not ours else floor.outcome()
    return number(ours / least)


def cost(cell, floor):
    """Core-ns an operation, and that in multiples of the floor's."""
    text = cell.text("ns_per_op")
    if not cell.median("ns_per_op") or not floor.median("ns_per_op"):
        return text
    return f"{text} ({floor_ratio(cell, floor)})"


def speed_cells(group, threads, floor=None):
    found = []
    for count in threads:
        cell = group.where(threads=count)
        least = floor.where(threads=count) if floor else None
        found.append(cell.spread("mops"))
        found.append(cost(cell, least) if least else cell.text("ns_per_op"))
    return found


def speed_headers(threads):
    return [
        f"{plural(count, 'thread')}: {unit}"
        for count in threads
        for unit in ("Mops/s ± %", "core-ns/op (× floor)")
    ]


PRICE = ("retained, pages", "span, pages", "valid samples")


def price_cells(group, threads):
    """The prices at the highest number of threads, all samples counted."""
    most = group.where(threads=threads[-1])
    return [
        most.text("price", "pages_retained"),
        most.text("price", "address_span_pages"),
        group.count(),
    ]


def any_threads(_count):
    return True
