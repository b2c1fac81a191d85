#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""edges.py - every memory order is explained, every named edge has two ends.

An operation named after its order (load_acquire, cas_release, memory_order_*)
needs a comment on its line or at most eight lines above it:

    relaxed: why that is enough
    acquire [edge]: why          release [edge]: why
    acq_rel [edge]: why          seq_cst [edge]: why

An edge is a name that a releasing and an acquiring comment share.  One that
has only one of them is an error: half of the argument is missing, or the code
of the other half is gone.  The text is read, not its truth; the thread
sanitizer and the tests are for that.

usage: edges.py [FILE...]          (default: the sources of engine/)
"""

import collections
import pathlib
import re
import sys

REACH_LINES = 8
# What a text about the rule itself writes for the name of an edge.
PLACEHOLDER = "edge"
ORDERS = "relaxed|acquire|release|acq_rel|seq_cst"
OPERATION = re.compile(
    r"\b(?:memory_order|(?:load|store|add|sub|or|and|xor|swap|cas|fence))"
    rf"_({ORDERS})\b"
)
# "acquire [one] and [two]: ..." names two edges.
ENDS = re.compile(
    rf"\b({ORDERS})\s*((?:(?:\s|,|\+|and)*\[[a-z][a-z0-9-]*\])+)"
)
EDGE = re.compile(r"\[([a-z][a-z0-9-]*)\]")
SIDES = {
    "acquire": {"acquire"},
    "release": {"release"},
    "acq_rel": {"acquire", "release"},
    "seq_cst": {"acquire", "release"},
}


def split_lines(text):
    """For each line: its code, without macro definitions, and its comment."""
    code, comment = [], []
    in_comment = in_define = False
    for line in text.split("\n"):
        define = in_define or re.match(r"\s*#\s*define\b", line) is not None
        in_define = define and line.endswith("\\")
        parts = {False: "", True: ""}
        i = 0
        while i < len(line):
            two = line[i : i + 2]
            if in_comment and two == "*/":
                in_comment = False
                i += 2
            elif not in_comment and two == "/*":
                in_comment = True
                i += 2
            elif not in_comment and two == "//":
                parts[True] += line[i + 2 :]
                break
            else:
                parts[in_comment] += line[i]
                i += 1
        code.append("" if define else parts[False])
        comment.append(re.sub(r"^\s*\*+ ?", "", parts[True]))
    return code, comment


def is_explained(order, text):
    if order == "relaxed":
        return re.search(r"\brelaxed\b[^.;]*?:", text) is not None
    return any(
        found.group(1) == order and re.match(r"[^.;]*?:", text[found.end() :])
        for found in ENDS.finditer(text)
    )


def check(files):
    """The complaints about `files`, and the names of the edges found."""
    ends = collections.defaultdict(set)
    where = {}
    complaints = []
    for path in files:
        text = pathlib.Path(path).read_text(encoding="utf-8")
        code, comment = split_lines(text)
        for n, line in enumerate(code):
            above = " ".join(comment[max(0, n - REACH_LINES) : n + 1])
            for order in OPERATION.findall(line):
                if not is_explained(order, above):
                    complaints.append(
                        f"{path}:{n + 1}: {order} without a reason"
                    )
        for found in ENDS.finditer(" ".join(comment)):
            for edge in EDGE.findall(found.group(2)):
                ends[edge] |= SIDES.get(found.group(1), set())
                where.setdefault(edge, path)
    ends.pop(PLACEHOLDER, None)
    for edge in sorted(ends):
        if len(ends[edge]) == 1:
            (side,) = ends[edge]
            complaints.append(
                f"{where[edge]}: edge [{edge}] has only its {side} side"
            )
    return complaints, sorted(ends)


def engine_files(root):
    engine = pathlib.Path(root) / "engine"
    return sorted(str(p) for p in engine.rglob("*.[ch]"))


def main(arguments):
    if arguments and arguments[0] in ("-h", "--help"):
        print(__doc__)
        return 0
    root = pathlib.Path(__file__).resolve().parent.parent
    complaints, edges = check(arguments or engine_files(root))
    for complaint in complaints:
        print(complaint)
    if not complaints:
        print(f"{len(edges)} edges, all with two ends: {', '.join(edges)}")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
