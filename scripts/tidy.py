#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""tidy.py - the rules of form that a machine can see.

    file        at most 500 lines
    function    at most 70 lines, signature included
    parameters  at most 5; more become a struct
    nesting     at most 4 blocks inside a function
    name        each file name once in the tree
    variant     no #if inside a function
    layer       the engine includes only what lies below it:
                lfv/ base/ lock/ va/ backing/ core/, in this order
    test        each engine/*/x.c has its tests/unit/test_x.c
    atomic      the engine's atomics go through base/atomic.h
    order       each memory order is explained (scripts/edges.py)
    licence     the first line names the licence (SPDX)
    marker      nothing is left "to do"

usage: tidy.py [ROOT]
"""

import collections
import pathlib
import re
import sys

import edges

FILE_LINES_MAX = 500
FUNCTION_LINES_MAX = 70
PARAMETERS_MAX = 5
NESTING_MAX = 4
CODE_FOLDERS = ("engine", "bench", "tests")
NAMED_FOLDERS = CODE_FOLDERS + ("scripts", "cmake")
# The build system and the reader look for these in each folder.
COMMON_NAMES = {"CMakeLists.txt", "README.md"}
LAYERS = ["lfv", "base", "lock", "va", "backing", "core"]
MARKER = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|X" + r"XX)\b")
RAW_ATOMIC = re.compile(
    r"\bmemory_order_\w+|\batomic_(?:load|store|exchange|compare_exchange"
    r"|fetch|thread_fence|signal_fence|flag)\w*|\b__(?:atomic|sync)_\w+"
)
BLANKED = re.compile(
    r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.S
)
DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", re.M)
TOKEN = re.compile(r"[A-Za-z_]\w*|[{}()\[\];:,]|[^\s\w]|\d\w*")
ATTRIBUTE = re.compile(r"__attribute__\s*\(\((?:[^()]|\([^()]*\))*\)\)")

Complaint = collections.namedtuple("Complaint", "path line rule text")
Function = collections.namedtuple("Function", "name line lines head body")


def blank(match):
    return re.sub(r"[^\n]", " ", match.group(0))


def functions(text):
    """Each function of a file in the project's format, braces in column 1."""
    code = DIRECTIVE.sub(blank, BLANKED.sub(blank, text))
    lines = code.split("\n")
    n = 0
    while n < len(lines):
        if lines[n] != "{":
            n += 1
            continue
        first = n
        while first > 0 and not re.search(r"[;}]\s*$|^\s*$", lines[first - 1]):
            first -= 1
        last = n
        while last < len(lines) - 1 and not lines[last].startswith("}"):
            last += 1
        head = ATTRIBUTE.sub("", " ".join(lines[first:n]))
        named = re.search(r"(\w+)\s*\(", head)
        if named:
            body = "\n".join(lines[n : last + 1])
            yield Function(
                named.group(1), first + 1, last - first + 1, head, body
            )
        n = last + 1


def parameter_count(head):
    inside = head[head.index("(") + 1 :]
    depth, commas, text = 1, 0, ""
    for c in inside:
        depth += (c in "([{") - (c in ")]}")
        if depth == 0:
            break
        commas += c == "," and depth == 1
        text += c
    return 0 if text.strip() in ("", "void") else commas + 1


class Nesting:
    """How deep the blocks of one function body go, with or without braces."""

    def __init__(self, body):
        self.tokens = TOKEN.findall(body)
        self.at = 0
        self.deepest = 0

    def peek(self, ahead=0):
        i = self.at + ahead
        return self.tokens[i] if i < len(self.tokens) else ""

    def skip_group(self):
        depth = 0
        while self.at < len(self.tokens):
            depth += (self.peek() in "([{") - (self.peek() in ")]}")
            self.at += 1
            if depth == 0:
                return

    def block(self, depth):
        self.at += 1
        while self.peek() not in ("}", ""):
            self.statement(depth)
        self.at += 1

    def branch(self, depth):
        self.deepest = max(self.deepest, depth + 1)
        if self.peek() == "{":
            self.block(depth + 1)
        else:
            self.statement(depth + 1)

    def statement(self, depth):
        token = self.peek()
        if token == "{":
            self.branch(depth)
        elif token in ("if", "for", "while", "switch"):
            self.at += 1
            self.skip_group()
            self.branch(depth)
            self.otherwise(depth)
        elif token == "do":
            self.at += 1
            self.branch(depth)
            self.expression(depth)
        elif token == "case":
            while self.peek() not in (":", ""):
                self.at += 1
            self.at += 1
        elif token == "default" or self.peek(1) == ":":
            self.at += 2
        else:
            self.expression(depth)

    def otherwise(self, depth):
        if self.peek() != "else":
            return
        self.at += 1
        if self.peek() == "if":
            self.statement(depth)
        else:
            self.branch(depth)

    def expression(self, depth):
        """Up to its semicolon; `each(x) {` is a loop made by a macro."""
        if self.peek(1) == "(":
            self.at += 1
            self.skip_group()
            if self.peek() == "{":
                self.branch(depth)
                return
        while self.peek() not in (";", ""):
            if self.peek() in ("(", "[", "{"):
                self.skip_group()
            elif self.peek() == "}":
                return
            else:
                self.at += 1
        self.at += 1


def nesting(body):
    walk = Nesting(body)
    walk.block(0)
    return walk.deepest


def check_functions(path, text):
    for function in functions(text):
        count = parameter_count(function.head)
        depth = nesting(function.body)
        checks = (
            ("function", function.lines, FUNCTION_LINES_MAX, "lines"),
            ("parameters", count, PARAMETERS_MAX, "parameters"),
            ("nesting", depth, NESTING_MAX, "blocks deep"),
        )
        for rule, found, most, unit in checks:
            if found > most:
                yield Complaint(
                    path,
                    function.line,
                    rule,
                    f"{function.name}: {found} {unit}, at most {most}",
                )


def check_variants(path, text):
    """#if between the braces of a function."""
    lines = BLANKED.sub(blank, text).split("\n")
    inside = False
    for n, line in enumerate(lines, 1):
        if line == "{":
            inside = True
        elif line.startswith("}"):
            inside = False
        elif inside and re.match(r"\s*#\s*(?:if|el|endif)", line):
            yield Complaint(path, n, "variant", "#if inside a function")


def check_layer(path, text):
    parts = pathlib.Path(path).parts
    own = "lfv" if parts[1] == "include" else parts[1]
    if own not in LAYERS:
        yield Complaint(path, 1, "layer", f"engine/{own} is no layer")
        return
    for n, line in enumerate(text.split("\n"), 1):
        included = re.match(r'\s*#\s*include\s*"([^"]+)"', line)
        if not included:
            continue
        layer = included.group(1).split("/")[0]
        if layer not in LAYERS:
            reason = "is no layer of the engine"
        elif LAYERS.index(layer) > LAYERS.index(own):
            reason = f"lies above {own}/"
        else:
            continue
        yield Complaint(path, n, "layer", f"{included.group(1)} {reason}")


def check_atomics(path, text):
    if path == "engine/base/atomic.h":
        return
    code = BLANKED.sub(blank, text)
    for n, line in enumerate(code.split("\n"), 1):
        for found in RAW_ATOMIC.findall(line):
            yield Complaint(path, n, "atomic", f"{found} by its own name")


def check_file(path, text):
    lines = text.count("\n")
    if lines > FILE_LINES_MAX:
        yield Complaint(
            path, 1, "file", f"{lines} lines, at most {FILE_LINES_MAX}"
        )
    if "SPDX-License-Identifier: MIT" not in text.split("\n", 1)[0]:
        yield Complaint(path, 1, "licence", "the first line has no SPDX tag")
    yield from check_functions(path, text)
    yield from check_variants(path, text)
    if path.startswith("engine/"):
        yield from check_layer(path, text)
        yield from check_atomics(path, text)


def check_names(root, paths):
    seen = {}
    for path in paths:
        name = pathlib.Path(path).name
        if name in COMMON_NAMES:
            continue
        if name in seen:
            yield Complaint(path, 1, "name", f"also {seen[name]}")
        seen.setdefault(name, path)
        if not re.fullmatch(r"engine/\w+/\w+\.c", path):
            continue
        test = f"tests/unit/test_{name}"
        if not (root / test).exists():
            yield Complaint(path, 1, "test", f"has no {test}")


def check_orders(root, paths):
    sources = [str(root / p) for p in paths if p.startswith("engine/")]
    complaints, _ = edges.check(p for p in sources if p[-2:] in (".c", ".h"))
    for text in complaints:
        yield Complaint("engine", 1, "order", text.replace(f"{root}/", ""))


def check_markers(root, paths):
    for path in paths:
        try:
            text = (root / path).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        for n, line in enumerate(text.split("\n"), 1):
            if MARKER.search(line):
                yield Complaint(path, n, "marker", line.strip())


def tree(root):
    for folder in NAMED_FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                yield str(path.relative_to(root))


def check(root):
    root = pathlib.Path(root)
    paths = list(tree(root))
    for path in paths:
        if path.endswith((".c", ".h", ".cc")):
            text = (root / path).read_text(encoding="utf-8")
            yield from check_file(path, text)
    yield from check_names(root, paths)
    yield from check_orders(root, paths)
    yield from check_markers(root, paths)


def main(arguments):
    if arguments and arguments[0] in ("-h", "--help"):
        print(__doc__)
        return 0
    here = pathlib.Path(__file__).resolve().parent.parent
    complaints = list(check(arguments[0] if arguments else here))
    for path, line, rule, text in complaints:
        print(f"{path}:{line}: {rule}: {text}")
    print(f"{len(complaints)} complaints")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
