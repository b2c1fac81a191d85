#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""linux_model.py - every address an engine answers, told by a second model.

usage: linux_model.py ADDRESS_TRACE ROW

Runs the program address_trace for the row and replays what it prints: each
request goes to a model of that Linux release as well, and both must answer the
same address, or both that there is none.  One difference fails, with the
request that shows it first.  So does a trace that has not met the cases in
which the generations differ.

20,000 operations of each seed, 200,000 with LFV_TEST_LONG in the environment.
Exit code 77: this machine cannot pin a thread to a CPU.
"""

import collections
import os
import subprocess
import sys

sys.dont_write_bytecode = True

from generation import PAGE, Request, Window  # noqa: E402
from generation_1 import List240, List2624  # noqa: E402
from generation_2 import Rbtree419, Rbtree2628  # noqa: E402
from generation_3 import Augmented61, Augmented510  # noqa: E402
from generation_4 import Nodes612  # noqa: E402

ROWS = {
    "list": List240,
    "list-2.6.24": List2624,
    "rbtree-2.6.28": Rbtree2628,
    "rbtree": Rbtree419,
    "augmented-5.10": Augmented510,
    "augmented": Augmented61,
    "nodes": Nodes612,
}
# Where memory is mapped a purge sorts what it unmaps, and gives it back sorted.
# 5.10 gives back what was freed last first; its tree of holes then grows in
# another form, and the search, which depends on it, may answer otherwise.
ADDRESS_PLANE_ONLY = {"augmented-5.10"}
SEEDS = (1, 2)
OPERATIONS = 20_000
OPERATIONS_LONG = 200_000
SKIPPED = 77


class Difference(Exception):
    """The engine and the model do not say the same."""


class Replay:
    """One trace, line by line, on a model of its row."""

    def __init__(self, row):
        self.row = row
        self.model = None
        self.allocations = 0
        self.ended = False

    def line(self, number, text):
        word, *numbers = text.split()
        numbers = [int(n) for n in numbers]
        if word == "window":
            self.model = ROWS[self.row](Window(*numbers))
        elif word == "cpu":
            self.model.cpu = numbers[0]
        elif word == "alloc":
            self.alloc(number, Request(*numbers[:4]), numbers[4] or None)
        elif word == "free":
            self.model.free(numbers[0])
        elif word == "purge":
            self.model.purge()
        elif word == "end":
            self.ended = True
        else:
            raise Difference(f"line {number}: {word!r} is unknown")

    def alloc(self, number, request, engine):
        self.allocations += 1
        model = self.model.alloc(request)
        if model != engine:
            low, high = self.place(request.vstart), self.place(request.vend)
            raise Difference(
                f"line {number}: {request.size // PAGE} pages aligned to"
                f" {request.align} in {low} to {high}:"
                f" the engine says {self.place(engine)},"
                f" the model {self.place(model)}"
            )

    def place(self, address):
        if address is None:
            return "nowhere"
        return f"page {(address - self.model.window.start) // PAGE}"


def replay(program, row, plane, seed, operations):
    """Run one trace through the model; returns the Replay."""
    command = [program, row, plane, str(seed), str(operations)]
    done = Replay(row)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as tracer:
        try:
            for number, text in enumerate(tracer.stdout, 1):
                done.line(number, text)
        except Difference as difference:
            tracer.kill()
            raise Difference(f"{' '.join(command)}: {difference}") from None
    if tracer.returncode == SKIPPED:
        sys.exit(SKIPPED)
    if tracer.returncode != 0 or not done.ended:
        raise Difference(f"{' '.join(command)}: ended early")
    return done


def check_row(program, row, operations):
    planes = ["address"] if row in ADDRESS_PLANE_ONLY else ["address", "full"]
    for plane in planes:
        met = collections.Counter()
        for seed in SEEDS:
            done = replay(program, row, plane, seed, operations)
            met += done.model.met
            print(
                f"{row}, {plane} plane, seed {seed}:"
                f" {done.allocations} allocations, all at the same address"
            )
        for case, count in sorted(met.items()):
            print(f"{count:10} {case}")
        missed = [case for case in ROWS[row].MUST_MEET if not met[case]]
        if missed:
            raise Difference(f"{row}, {plane} plane: no {', no '.join(missed)}")


def main(words):
    if len(words) != 2 or words[1] not in ROWS:
        print(__doc__, "\nROW: ", ", ".join(ROWS), file=sys.stderr)
        return 2
    is_long = "LFV_TEST_LONG" in os.environ
    try:
        check_row(*words, OPERATIONS_LONG if is_long else OPERATIONS)
    except Difference as difference:
        print(difference, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
