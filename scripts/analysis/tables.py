#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""tables.py - makes the tables of README.md from a folder of results.

A table stands in a text between two lines,

    <!-- table NAME: begin -->
    <!-- table NAME: end -->

and its first line says which folder it was made from, so that --check needs no
folder: nobody's fingers come between a measurement and its table.  A picture
under results/ is turned to the same folder where that holds one of its name.

usage: tables.py [FOLDER] [--table NAME]...  prints
       tables.py [FOLDER] --into README.md   replaces what stands there
       tables.py [FOLDER] --check README.md  exit code 1 where they differ

Without FOLDER it is the newest results/HOST-COMMIT of this host in which
scripts/measure took every set; where this host has none, the only other one.
"""

import argparse
import json
import os
import pathlib
import platform
import re
import subprocess
import sys

import table_views
from table_data import NoData, Results

RESULTS = pathlib.Path(__file__).resolve().parent.parent.parent / "results"
# What scripts/measure takes; a folder that lacks one is not complete.
SETS = (
    "strategies latency cache options locks nodes peers generations purge"
    " vmalloc growth replay"
).split()

EXIT_FINE, EXIT_DIFFERS, EXIT_USAGE = 0, 1, 2

BLOCK = re.compile(
    r"(?P<begin>^<!-- table (?P<name>\S+): begin -->\n)"
    r"(?P<body>.*?)"
    r"(?P<end>^<!-- table (?P=name): end -->$)",
    re.DOTALL | re.MULTILINE,
)
MARK = re.compile(r"^<!-- table (\S+): (begin|end) -->$", re.MULTILINE)
SOURCE = re.compile(r"<!-- from (?P<folder>.+?) -->\n")


PICTURE = re.compile(r"!\[[^]]*\]\((?P<path>[^)\s]+)\)")


class NoFolder(Exception):
    """No folder was named, and none is the one that must be meant."""


class BadText(Exception):
    """The markers of the text are not in pairs, or name no table."""


def is_complete(folder):
    """Whether every set is there, and none was broken off."""
    for name in SETS:
        try:
            text = (folder / f"{name}.json").read_text(encoding="utf-8")
            if not json.loads(text)["plan"]["complete"]:
                return False
        except (OSError, ValueError, KeyError):
            return False
    return True


def age(folder):
    return max(file.stat().st_mtime_ns for file in folder.glob("*.json"))


def usual_folder(root):
    """The newest of this host; else the only one."""
    whole = [folder for folder in root.glob("*/") if is_complete(folder)]
    whole = [f for f in whole if not f.name.startswith("quick-")]
    ours = [f for f in whole if f.name.startswith(f"{platform.node()}-")]
    if ours:
        return max(ours, key=age)
    if len(whole) == 1:
        return whole[0]
    names = ", ".join(sorted(folder.name for folder in whole))
    if names:
        raise NoFolder(f"which FOLDER? {root} has {names}")
    raise NoFolder(f"{root} has no complete folder; scripts/measure makes it")


def committed(root):
    """The folders of results that are kept in the tree."""
    command = ["git", "-C", str(root), "ls-files", "--", "*/*.json"]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False
        )
    except OSError:
        return []
    names = {line.split("/")[0] for line in done.stdout.splitlines()}
    return [root / name for name in sorted(names)]


def has_figures(folder, name):
    """Whether this table can be made of that folder."""
    try:
        table_text(Results(folder), name)
    except NoData:
        return False
    return True


def turn_pictures(text, source, path):
    """Pictures below results/ become those of the folder, if it has them."""

    def turned(found):
        old = pathlib.PurePosixPath(found["path"])
        new = f"{source}/{old.name}"
        fits = old.parts[0] == "results" and (path.parent / new).exists()
        return found[0].replace(found["path"], new) if fits else found[0]

    return PICTURE.sub(turned, text)


def blocks(text, path):
    found = list(BLOCK.finditer(text))
    if 2 * len(found) != len(MARK.findall(text)):
        raise BadText(f"{path}: markers that are not in pairs")
    for block in found:
        if block["name"] not in table_views.TABLES:
            known = ", ".join(table_views.TABLES)
            raise BadText(f"{path}: table {block['name']} is none of {known}")
    return found


def table_text(results, name):
    return table_views.TABLES[name](results)


def body_text(results, name, source):
    return f"<!-- from {source} -->\n\n{table_text(results, name)}\n\n"


def replace_file(path, text):
    """The whole new text or the whole old one, whatever happens."""
    aside = path.with_name(path.name + ".tmp")
    with open(aside, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    aside.chmod(path.stat().st_mode)
    os.replace(aside, path)


def source_name(folder, path):
    """The folder as seen from the text, so that both may move together."""
    return pathlib.Path(os.path.relpath(folder, path.parent)).as_posix()


def into(folder, path):
    """Replaces each table that the folder has the figures for."""
    text, results = path.read_text(encoding="utf-8"), Results(folder)
    source, pieces, at = source_name(folder, path), [], 0
    for block in blocks(text, path):
        pieces.append(text[at : block.start("body")])
        try:
            pieces.append(body_text(results, block["name"], source))
        except NoData as reason:
            print(f"tables.py: {reason}: left as it is", file=sys.stderr)
            pieces.append(block["body"])
        at = block.end("body")
    text = "".join([*pieces, text[at:]])
    replace_file(path, turn_pictures(text, source, path))
    return EXIT_FINE


def difference(block, folder, path):
    """What is wrong with this table; None: nothing."""
    named = SOURCE.match(block["body"])
    if not named and block["body"].strip():
        return "was not made by tables.py"
    if not named:
        for kept in committed(path.parent / "results"):
            if has_figures(kept, block["name"]):
                return f"is empty, and {kept.name} has its figures"
        return None
    source = source_name(folder, path) if folder else named["folder"]
    try:
        want = body_text(Results(path.parent / source), block["name"], source)
    except NoData as reason:
        return str(reason)
    if want != block["body"]:
        return f"differs from what {source} gives"
    return None


def lost_pictures(text, path):
    """Those of this tree that are not in it."""
    named = [found["path"] for found in PICTURE.finditer(text)]
    ours = [name for name in named if "://" not in name]
    return [name for name in ours if not (path.parent / name).exists()]


def check(folder, path):
    """Whether each table is what its results give, and each picture is there.

    An empty table may wait as long as no results that are kept have its
    figures.
    """
    text, code = path.read_text(encoding="utf-8"), EXIT_FINE
    for name in lost_pictures(text, path):
        print(f"tables.py: {path.name}: no picture {name}", file=sys.stderr)
        code = EXIT_DIFFERS
    for block in blocks(text, path):
        wrong = difference(block, folder, path)
        if wrong:
            print(
                f"tables.py: {path.name}: table {block['name']}: {wrong}",
                file=sys.stderr,
            )
            code = EXIT_DIFFERS
    return code


def show(folder, names):
    results, code = Results(folder), EXIT_FINE
    for name in names or table_views.TABLES:
        try:
            print(f"## {name}\n\n{table_text(results, name)}\n")
        except NoData as reason:
            print(f"tables.py: {reason}", file=sys.stderr)
            code = EXIT_DIFFERS if names else code
    return code


def parse(arguments):
    parser = argparse.ArgumentParser(
        prog="tables.py",
        description="Makes the tables of README.md from a folder of results.",
    )
    parser.add_argument("folder", nargs="?", type=pathlib.Path)
    parser.add_argument(
        "--table",
        action="append",
        choices=table_views.TABLES,
        help="print this one; repeatable",
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--into", metavar="FILE", type=pathlib.Path)
    what.add_argument("--check", metavar="FILE", type=pathlib.Path)
    return parser.parse_args(arguments)


def main(arguments):
    options = parse(arguments)
    try:
        if options.check:
            return check(options.folder, options.check)
        folder = options.folder or usual_folder(RESULTS)
        if options.into:
            return into(folder, options.into)
        return show(folder, options.table)
    except (BadText, NoFolder, OSError) as error:
        print(f"tables.py: {error}", file=sys.stderr)
        return EXIT_USAGE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
