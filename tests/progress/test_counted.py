#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""counted.py replaces a table between its marks, and nothing else."""

import pathlib
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "scripts" / "analysis"))
sys.dont_write_bytecode = True

import counted  # noqa: E402

TEXT = """before
<!-- counted blocking: begin -->
old
<!-- counted blocking: end -->
between
<!-- counted counts: begin -->
<!-- counted counts: end -->
after
"""


class Counted(unittest.TestCase):
    def test_a_table_is_replaced_between_its_marks(self):
        text, count = counted.replaced(TEXT, {"blocking": lambda: r"a \1 b"})
        self.assertEqual(count, 1)
        self.assertEqual(
            text, TEXT.replace("begin -->\nold\n", "begin -->\n\na \\1 b\n\n")
        )

    def test_made_twice_it_is_the_same(self):
        tables = {"blocking": lambda: "| a |", "counts": lambda: "| b |"}
        once, count = counted.replaced(TEXT, tables)
        self.assertEqual(count, 2)
        self.assertEqual(counted.replaced(once, tables)[0], once)

    def test_a_text_without_marks_is_left_alone(self):
        made = []
        text, count = counted.replaced("x\n", {"counts": made.append})
        self.assertEqual((text, count, made), ("x\n", 0, []))

    def test_the_readme_has_each_table(self):
        text = (ROOT / "README.md").read_text(encoding="utf-8")
        for name in counted.commands(ROOT):
            self.assertIsNotNone(counted.block(name).search(text), name)


if __name__ == "__main__":
    unittest.main()
