#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Each mistake of mutants.txt is seen by the test that is named for it.

usage: mutate.py BUILD [WORD]        (only mistakes whose text has WORD)

A program is built again from its own objects, with one source or header
changed; blanks and comments between the words of a line do not matter.  That the unchanged
program passes is a test of its own.
"""

import concurrent.futures
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TIMEOUT_S = 300


class Mutant:
    def __init__(self, block):
        self.text, self.source, old, new, test = block
        self.program, self.test = test.split()
        assert old.startswith("- ") and new.startswith("+ "), block
        self.old, self.new = old[2:], new[2:]

    def changed(self):
        """The source with the mistake in it."""
        text = (ROOT / self.source).read_text(encoding="utf-8")
        comment = r"(?:\s|/\*(?:[^*]|\*(?!/))*\*/)*"
        tokens = re.findall(r"/\*.*?\*/|\w+|[^\w\s]", self.old)
        pattern = comment.join(
            re.escape(t) for t in tokens if not t.startswith("/*")
        )
        found = list(re.finditer(pattern, text))
        if len(found) != 1:
            raise LookupError(f"found {len(found)} times: {self.old}")
        return text[: found[0].start()] + self.new + text[found[0].end() :]


def blocks(path):
    lines = [
        line.rstrip()
        for line in path.read_text(encoding="utf-8").split("\n")
        if not line.startswith("#")
    ]
    for block in re.split(r"\n{2,}", "\n".join(lines).strip()):
        yield Mutant(block.split("\n"))


def compile_commands(build, program):
    """How each source of the program is compiled, without -o, -c; and to what."""
    with open(build / "compile_commands.json", encoding="utf-8") as file:
        entries = json.load(file)
    for entry in entries:
        words = shlex.split(entry["command"])
        end = words.index("-o")
        if f"/{program}.dir/" in words[end + 1]:
            yield entry["file"], words[:end], words[end + 1]


def recompile(build, mutant, folder):
    """The objects that the mistake is in: of a header, all of them."""
    is_header = mutant.source.endswith(".h")
    # As the sources include it, if it is a header: "va/page_map.h".
    changed = folder.joinpath(*pathlib.Path(mutant.source).parts[1:])
    changed.parent.mkdir()
    changed.write_text(mutant.changed(), encoding="utf-8")
    objects = {}
    for file, words, output in compile_commands(build, mutant.program):
        if not is_header and file != str(ROOT / mutant.source):
            continue
        source = file if is_header else str(changed)
        into = str(folder / f"{len(objects)}.o")
        command = [words[0], f"-I{folder}", *words[1:], "-Wno-error", "-w"]
        subprocess.run(
            [*command, "-o", into, "-c", source], cwd=build, check=True
        )
        objects[os.path.normpath(build / output)] = into
    if not objects:
        raise LookupError(f"{mutant.program} has no {mutant.source}")
    return objects


def run(program, test):
    done = subprocess.run(
        [str(program), test],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=TIMEOUT_S,
        check=False,
    )
    return done.returncode, done.stdout.decode(errors="replace")


def complaint_about(build, mutant):
    """None, or why the mistake counts as not seen."""
    try:
        return check(build, mutant)
    except (LookupError, subprocess.SubprocessError) as error:
        return str(error)


def check(build, mutant):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        objects = recompile(build, mutant, folder)
        link = build / "tests" / "schedule" / f"{mutant.program}.link"
        words = link.read_text(encoding="utf-8").split()
        replaced = [objects.get(os.path.normpath(w), w) for w in words]
        if not set(objects.values()) <= set(replaced):
            return f"{mutant.source} is not linked"
        program = folder / mutant.program
        subprocess.run([*replaced, "-o", str(program)], check=True)
        status, said = run(program, mutant.test)
    if status == 0:
        return f"{mutant.test} passes"
    if f"[  FAILED  ] {mutant.test}\n" not in said:
        return f"{mutant.test} did not fail by itself: {status}\n{said}"
    return None


def main(arguments):
    if len(arguments) not in (1, 2) or arguments[0] in ("-h", "--help"):
        print(__doc__)
        return 2
    build = pathlib.Path(arguments[0]).resolve()
    word = arguments[1] if len(arguments) > 1 else ""
    mutants = [m for m in blocks(HERE / "mutants.txt") if word in m.text]
    wrong = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        started = [(m, pool.submit(complaint_about, build, m)) for m in mutants]
        for mutant, future in started:
            complaint = future.result()
            wrong += complaint is not None
            verdict = "seen" if complaint is None else "NOT SEEN"
            print(f"{verdict}: {mutant.source}: {mutant.text}")
            if complaint is not None:
                print(f"    {complaint}")
    print(f"{len(mutants)} mistakes, {wrong} complaints")
    return 1 if wrong or not mutants else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
