# SPDX-License-Identifier: MIT
"""published.py - ratios that kernel developers published, beside ours.

A ratio is the time of the older form over the time of the newer, for the same
work.  Ours agrees by this rule: at the same number of threads, and only there,
it points in the same direction and is at most AGREES_WITHIN times as large or
as small.  Where this machine lacks the CPUs, or the tree has no such form, no
verdict is given.
"""

import collections

from table_data import NOTHING, number, plural

AGREES_WITHIN = 2.0

MASK_7 = ("fix_size", "full_fit", "long_busy_list")
ALL_TESTS = (*MASK_7, "random_size", "fix_align", "random_size_align")
TEST_SETS = {MASK_7: "mask 7", ALL_TESTS: "mask 63"}
ADDRESSES = {"api": "get_vm_area"}
PAGE_PAIR = {**ADDRESSES, "pages": "1"}
TOUCHED = {"api": "vmalloc", "touch": "page", "pages": "4"}

# low and high: the ratio as published.  threads: of the source.
# old, new: our strategies; None: the tree has no such form, and `why`.
Published = collections.namedtuple(
    "Published",
    "change what low high threads hardware source old new tests fields why",
    defaults=(MASK_7, ADDRESSES, ""),
)


def opteron(threads, before_ns, after_ns):
    """2.6.28's own figures: map, touch and unmap 4 pages."""
    ratio = before_ns / after_ns
    return Published(
        "2.6.28: red-black tree, lazy purge",
        f"map, touch, unmap 4 pages: {before_ns:,} → {after_ns:,} ns",
        *(ratio, ratio, threads),
        *("2 × 4-core Opteron", "the 2.6.28 patch, 2008"),
        *("list-2.6.24", "rbtree-2.6.28", ("fix_size",), TOUCHED),
    )


def threadripper(threads, before_us, after_us):
    """The series of 6.9 in its first version, a prototype."""
    ratio = before_us / after_us
    return Published(
        "6.9: nodes (prototype, on 6.3)",
        f"1-page pair: {before_us} → {after_us} µs",
        *(ratio, ratio, threads),
        *("Threadripper 3970X", "20230522110849.2921-1"),
        *("augmented", "nodes", ("fix_size",), PAGE_PAIR),
    )


PUBLISHED = (
    opteron(1, 14700, 2900),
    opteron(2, 33600, 3000),
    opteron(8, 70631, 2900),
    Published(
        "5.2: tree of holes",
        "test_vmalloc `performance`, 1 CPU: 646.9 → 193.3 G cycles",
        *(3.3, 3.3, 1, "i5-3320M", "20190406183508.25273-1"),
        *("rbtree", "augmented-5.10", ALL_TESTS),
    ),
    Published(
        "5.2: tree of holes",
        "the same: 3.479 → 0.464 G cycles",
        *(7.5, 7.5, 1, "HiKey960", "20190406183508.25273-1"),
        *("rbtree", "augmented-5.10", ALL_TESTS),
    ),
    Published(
        "5.2: tree of holes",
        "all CPUs, shuffled: 101 min 22.8 s → 56.8 s",
        *(107, 107, 4, "i5-3320M", "20190406183508.25273-1"),
        *(None, None, ALL_TESTS, ADDRESSES),
        "5.2's single lock; `augmented-5.10` has 5.5's two",
    ),
    Published(
        "5.5: two locks",
        "14 to 23 % fewer cycles",
        *(1 / 0.86, 1 / 0.77, 8, "HiKey960", "20191022155800.20468-1"),
        *(None, None, ALL_TESTS, ADDRESSES),
        "5.2's single lock",
    ),
    threadripper(1, 0.576, 0.556),
    threadripper(2, 2.68, 1.08),
    threadripper(32, 21.09, 3.83),
    Published(
        "6.9: nodes",
        "`run_test_mask=7`: 10 min 51.27 s → 51.30 s",
        *(12.7, 12.7, 64, "Threadripper 3970X", "20240102184633.748113-1"),
        *("augmented", "nodes"),
    ),
)

HEADERS = (
    "change",
    "measured there",
    "hardware",
    "source",
    "threads there",
    "ratio there, old/new",
    "rows here",
    "threads here",
    "ratio here, old/new",
    "agrees?",
)


class Ours:
    """Our ratio for a published one."""

    def __init__(self, group, row):
        measured = group.threads()
        self.threads = row.threads if row.threads in measured else measured[-1]
        self.missing, self.ratio = [], None
        if row.old is None:
            return
        times = [self.time(group, row, s) for s in (row.old, row.new)]
        if not self.missing:
            self.ratio = times[0] / times[1]

    def time(self, group, row, strategy):
        """Core-ns of one loop of each test, together."""
        total = 0.0
        for test in row.tests:
            cell = group.where(
                strategy=strategy,
                workload=test,
                threads=self.threads,
                **row.fields,
            )
            median = cell.median("ns_per_op")
            if median is None:
                self.missing.append(f"{strategy} {test} {cell.outcome()}")
            total += median or 0.0
        return total


def verdict(row, ours):
    if row.old is None:
        return f"no row: {row.why}"
    if ours.threads != row.threads:
        return f"not comparable: {plural(row.threads, 'thread')}"
    if ours.ratio is None:
        return "no figure: " + ", ".join(ours.missing)
    if (ours.ratio > 1) != (row.low > 1):
        return "no: other direction"
    apart = max(row.low / ours.ratio, ours.ratio / row.high, 1.0)
    if apart > AGREES_WITHIN:
        return f"no: {number(apart)} times apart"
    return "yes"


def ratio_text(low, high):
    if low == high:
        return f"{low:.3g}"
    return f"{low:.3g} to {high:.3g}"


def row_texts(group, row):
    ours = Ours(group, row)
    rows_here, threads_here = NOTHING, NOTHING
    if row.old is not None:
        tests = TEST_SETS.get(row.tests, ", ".join(row.tests))
        rows_here = f"`{row.old}` / `{row.new}`, {tests} by {row.fields['api']}"
        threads_here = str(ours.threads)
    return [
        *(row.change, row.what, row.hardware, row.source),
        str(row.threads),
        ratio_text(row.low, row.high),
        *(rows_here, threads_here),
        NOTHING if ours.ratio is None else f"{ours.ratio:.3g}",
        verdict(row, ours),
    ]


def rows(group):
    return [row_texts(group, row) for row in PUBLISHED]


RULE = (
    "`agrees?`: yes if, at the same number of threads, both ratios lie on the"
    f" same side of 1 and are at most {AGREES_WITHIN:g} times apart. Mask 7 is"
    " fix_size, full_fit and long_busy_list, one loop of each, added up; mask"
    " 63 is random_size, fix_align and random_size_align besides, for 5.2 was"
    " measured with all tests that the module had then."
    " Sources are message ids of the kernel's mailing list."
)
