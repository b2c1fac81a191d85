#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""counts.py - the golden figures: what operations cost in counts.

usage: counts.py PROGRAM            compares; exit code 1 where they differ
       counts.py PROGRAM --update   writes what is there now
       counts.py PROGRAM --markdown prints a table of this build's figures

PROGRAM is operation_counts.  counts.golden has a line for each plane, strategy,
lock and operation:

    plane strategy lock operation syscalls locked BUILD=instructions...

System calls and atomic read-modify-writes are the same in every build and are
compared exactly.  Instructions are those of one compiler, version and build
type: compared where the file has this build, within TOLERANCE, and else passed
over, which is said.  Planes of which the file has no line are passed over in
the same way: full-gaps, where the kernel has no guard markers, and those that
end in -fallback, where there are no restartable sequences.

What differs is counted again, and is one if it differs the same way.

An update keeps the instructions of other builds as they are: make it in each
preset that the file has figures of.
"""

import argparse
import pathlib
import subprocess
import sys

GOLDEN = pathlib.Path(__file__).resolve().parent / "counts.golden"
HEAD = (
    "# What operations cost in counts: see counts.py, which writes this.\n"
    "# plane strategy lock operation syscalls locked BUILD=instructions...\n"
)
# A thread that had to look at its clock once more is no change.
TOLERANCE = 0.01
TOLERANCE_MIN = 4
EXIT_SKIPPED = 77


def measured(program):
    """The build, and {what: (syscalls, locked, instructions)}."""
    done = subprocess.run([program], capture_output=True, text=True)
    if done.returncode != 0:
        sys.stderr.write(done.stderr)
        sys.exit(done.returncode)
    build, *lines = done.stdout.splitlines()
    rows = {}
    for line in lines:
        *what, syscalls, locked, instructions = line.split()
        rows[tuple(what)] = (int(syscalls), int(locked), int(instructions))
    return build, rows


def golden(path):
    """{what: (syscalls, locked, {build: instructions})}."""
    rows = {}
    if not path.exists():
        return rows
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        *what, syscalls, locked = line.split()[:6]
        builds = (word.rsplit("=", 1) for word in line.split()[6:])
        rows[tuple(what)] = (
            int(syscalls),
            int(locked),
            {build: int(count) for build, count in builds},
        )
    return rows


def is_near(one, two):
    return abs(one - two) <= max(TOLERANCE_MIN, TOLERANCE * two)


def differences(build, now, before):
    """What differs; and what was passed over, as a set of sentences."""
    found, passed = [], set()
    planes = {what[0] for what in before}
    for what, (syscalls, locked, instructions) in now.items():
        name = " ".join(what)
        if what not in before:
            if what[0] not in planes:
                passed.add(f"no figures of the plane {what[0]}")
            else:
                found.append(f"{name}: not among the golden figures")
            continue
        old_syscalls, old_locked, builds = before[what]
        if syscalls != old_syscalls:
            found.append(f"{name}: {syscalls} syscalls, were {old_syscalls}")
        if locked != old_locked:
            found.append(f"{name}: {locked} locked, were {old_locked}")
        if build not in builds:
            passed.add(f"no instructions of the build {build}")
        elif not is_near(instructions, builds[build]):
            found.append(
                f"{name}: {instructions} instructions, were {builds[build]}"
            )
    for what in before:
        if what not in now and what[0] in {key[0] for key in now}:
            found.append(f"{' '.join(what)}: is no more")
    return found, passed


def update(path, build, now, before):
    """This build's figures, and those of others that are still right."""
    planes = {what[0] for what in now}
    rows = {w: row for w, row in before.items() if w[0] not in planes}
    for what, (syscalls, locked, instructions) in now.items():
        builds = dict(before[what][2]) if what in before else {}
        builds[build] = instructions
        rows[what] = (syscalls, locked, builds)
    lines = []
    for what in sorted(rows):
        syscalls, locked, builds = rows[what]
        words = [*what, str(syscalls), str(locked)]
        words += [f"{b}={count}" for b, count in sorted(builds.items())]
        lines.append(" ".join(words) + "\n")
    path.write_text(HEAD + "".join(lines), encoding="utf-8")


def markdown(build, now):
    """A row for each plane, strategy and lock; operations side by side."""
    operations = list(dict.fromkeys(what[3] for what in now))
    rows = list(dict.fromkeys(what[:3] for what in now))
    lines = [
        f"| plane | strategy | lock | {' | '.join(operations)} |",
        f"| :--- | :--- | :--- |{' ---: |' * len(operations)}",
    ]
    for plane, strategy, lock in sorted(rows, key=lambda row: row[0]):
        words = [plane, f"`{strategy}`", f"`{lock}`"]
        for operation in operations:
            counts = now[plane, strategy, lock, operation]
            words.append(" · ".join(f"{count:,}" for count in counts))
        lines.append("| " + " | ".join(words) + " |")
    lines += [
        "",
        "<sub>System calls · atomic read-modify-writes · instructions, "
        f"libc's left out ({build}).</sub>",
    ]
    return "\n".join(lines)


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("program")
    parser.add_argument("--golden", type=pathlib.Path, default=GOLDEN)
    parser.add_argument("--update", action="store_true")
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args(arguments)
    build, now = measured(options.program)
    before = golden(options.golden)
    if options.markdown:
        print(markdown(build, now))
        return 0
    if options.update:
        update(options.golden, build, now, before)
        return 0
    found, passed = differences(build, now, before)
    if found:
        # A second of the engine's decay may have fallen into a count.
        _, again = measured(options.program)
        lasting = differences(build, again, before)[0]
        found = [sentence for sentence in found if sentence in lasting]
    for sentence in sorted(passed):
        print(f"passed over: {sentence}")
    for sentence in found:
        print(sentence)
    print(f"{len(now)} operations, {len(found)} differences")
    if found:
        print(f"if they are meant: {sys.argv[0]} {options.program} --update")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
