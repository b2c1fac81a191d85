#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""unmeasured.py - says how many cells of a result file have no valid sample.

usage: unmeasured.py RESULTS.json    prints one line, or nothing
"""

import json
import pathlib
import sys

# What tells the cells of scripts/bench apart.
FACTORS = "strategy lock cache mapping workload api threads".split()


def sentence(samples):
    """What to do about cells without a valid sample; None: there are none."""
    valid = {}
    for sample in samples:
        cell = tuple(sample.get(factor) for factor in FACTORS)
        valid[cell] = valid.get(cell, False) or sample["valid"]
    lost = list(valid.values()).count(False)
    if not lost:
        return None
    have = "cell has" if len(valid) == 1 else "cells have"
    return (
        f"{lost} of {len(valid)} {have} no valid sample:"
        " run again on a quiet machine"
    )


def main(arguments):
    text = pathlib.Path(arguments[0]).read_text(encoding="utf-8")
    line = sentence(json.loads(text)["samples"])
    if line:
        print(line)


if __name__ == "__main__":
    main(sys.argv[1:])
