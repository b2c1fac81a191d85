#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""tables.py - makes the tables of README.md from a folder of results.

A table stands in a text between two lines,

    <!-- table NAME: begin -->
    <!-- table NAME: end -->

and its first line says which folder it was made from, so that --check needs no
folder: nobody's fingers come between a measurement and its table.

usage: tables.py FOLDER [--table NAME]...    prints
       tables.py FOLDER --into README.md     replaces what stands there
       tables.py [FOLDER] --check README.md  exit code 1 where they differ
"""

import argparse
import os
import pathlib
import re
import sys

import table_views
from table_data import NoData, Results

EXIT_FINE, EXIT_DIFFERS, EXIT_USAGE = 0, 1, 2

BLOCK = re.compile(
    r"(?P<begin>^<!-- table (?P<name>\S+): begin -->\n)"
    r"(?P<body>.*?)"
    r"(?P<end>^<!-- table (?P=name): end -->$)",
    re.DOTALL | re.MULTILINE,
)
MARK = re.compile(r"^<!-- table (\S+): (begin|end) -->$", re.MULTILINE)
SOURCE = re.compile(r"<!-- from (?P<folder>.+?) -->\n")


class BadText(Exception):
    """The markers of the text are not in pairs, or name no table."""


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
    replace_file(path, "".join([*pieces, text[at:]]))
    return EXIT_FINE


def difference(block, folder, path):
    """What is wrong with this table; None: nothing."""
    named = SOURCE.match(block["body"])
    if not named:
        return "was not made by tables.py" if block["body"].strip() else None
    source = source_name(folder, path) if folder else named["folder"]
    try:
        want = body_text(Results(path.parent / source), block["name"], source)
    except NoData as reason:
        return str(reason)
    if want != block["body"]:
        return f"differs from what {source} gives"
    return None


def check(folder, path):
    """Whether each table is what its results give; an empty one may stay."""
    text, code = path.read_text(encoding="utf-8"), EXIT_FINE
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
    options = parser.parse_args(arguments)
    if not options.folder and not options.check:
        parser.error("which FOLDER?")
    return options


def main(arguments):
    options = parse(arguments)
    try:
        if options.into:
            return into(options.folder, options.into)
        if options.check:
            return check(options.folder, options.check)
        return show(options.folder, options.table)
    except (BadText, OSError) as error:
        print(f"tables.py: {error}", file=sys.stderr)
        return EXIT_USAGE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
