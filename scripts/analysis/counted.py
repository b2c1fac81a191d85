#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""counted.py - the tables of README.md that hold counts, not measurements.

They need no quiet machine and no folder of results: a program of the tests
prints each of them.  One stands between the lines

    <!-- counted NAME: begin -->
    <!-- counted NAME: end -->

    blocking   who blocks whom, and where (test_stopped)
    counts     what operations cost (operation_counts)

usage: counted.py [--preset P] [NAME]...         prints
       counted.py [--preset P] --into README.md  replaces what stands there

The preset is release unless said otherwise, and has to be built.
"""

import argparse
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
COUNTS = ROOT / "tests" / "progress" / "counts.py"


def commands(programs):
    return {
        "blocking": [programs / "test_stopped", "--markdown"],
        "counts": [COUNTS, programs / "operation_counts", "--markdown"],
    }


def table(command):
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"counted.py: {command[0]} ended with {done.returncode}")
    return done.stdout.strip()


def block(name):
    return re.compile(
        rf"(^<!-- counted {name}: begin -->\n).*?"
        rf"(^<!-- counted {name}: end -->$)",
        re.DOTALL | re.MULTILINE,
    )


def replaced(text, tables):
    """The text with each of its tables made new, and how many there were."""
    count = 0
    for name, make in tables.items():
        pattern = block(name)
        if not pattern.search(text):
            continue
        body = f"\n{make()}\n\n"
        text = pattern.sub(lambda found: found[1] + body + found[2], text)
        count += 1
    return text, count


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--preset", default="release")
    parser.add_argument("--into", type=pathlib.Path)
    options = parser.parse_args(arguments)
    known = commands(ROOT / "build" / options.preset / "tests")
    for name in options.names:
        if name not in known:
            parser.error(f"{name}: one of {' '.join(known)} is expected")
    names = options.names or list(known)
    if options.into is None:
        for name in names:
            print(table(known[name]), end="\n\n")
        return 0
    makers = {name: lambda n=name: table(known[n]) for name in names}
    before = options.into.read_text(encoding="utf-8")
    after, count = replaced(before, makers)
    if count == 0:
        sys.exit(f"counted.py: {options.into} has none of {' '.join(names)}")
    options.into.write_text(after, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
