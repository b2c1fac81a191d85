#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""counts.py sees each difference from the golden figures, and no other."""

import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.dont_write_bytecode = True

import counts  # noqa: E402

ALLOC = ("address", "nodes", "qspin", "alloc")
FREE = ("address", "nodes", "qspin", "free")
BUILD = "GNU-1-Debug"
NOW = {ALLOC: (0, 2, 1000), FREE: (1, 3, 400)}


class Golden(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name) / "golden"
        counts.update(self.path, BUILD, NOW, {})
        self.before = counts.golden(self.path)

    def found(self, now, build=BUILD):
        return counts.differences(build, now, self.before)

    def test_what_was_written_is_no_difference(self):
        self.assertEqual(self.found(NOW), ([], set()))

    def test_one_more_system_call_is_seen(self):
        found, _ = self.found({**NOW, ALLOC: (1, 2, 1000)})
        self.assertEqual(len(found), 1)
        self.assertIn("1 syscalls, were 0", found[0])

    def test_one_locked_instruction_less_is_seen(self):
        found, _ = self.found({**NOW, ALLOC: (0, 1, 1000)})
        self.assertIn("1 locked, were 2", found[0])

    def test_instructions_are_compared_within_the_tolerance(self):
        self.assertEqual(self.found({**NOW, ALLOC: (0, 2, 1010)})[0], [])
        found, _ = self.found({**NOW, ALLOC: (0, 2, 1011)})
        self.assertIn("1011 instructions, were 1000", found[0])

    def test_fewer_instructions_are_a_difference_too(self):
        self.assertEqual(len(self.found({**NOW, FREE: (1, 3, 395)})[0]), 1)

    def test_another_build_is_passed_over_but_not_its_calls(self):
        found, passed = self.found({**NOW, FREE: (2, 3, 9)}, "other")
        self.assertEqual(passed, {"no instructions of the build other"})
        self.assertEqual(len(found), 1)
        self.assertIn("2 syscalls, were 1", found[0])

    def test_a_plane_without_figures_is_passed_over(self):
        new = {("full", *ALLOC[1:]): (2, 7, 1700)}
        found, passed = self.found({**NOW, **new})
        self.assertEqual(found, [])
        self.assertEqual(passed, {"no figures of the plane full"})

    def test_an_operation_without_figures_is_a_difference(self):
        new = {("address", "new", "qspin", "alloc"): (0, 0, 9)}
        self.assertEqual(len(self.found({**NOW, **new})[0]), 1)

    def test_an_operation_that_is_gone_is_a_difference(self):
        found, _ = self.found({ALLOC: NOW[ALLOC]})
        self.assertEqual(found, ["address nodes qspin free: is no more"])

    def test_an_update_keeps_what_other_builds_have(self):
        counts.update(self.path, "other", NOW, self.before)
        builds = counts.golden(self.path)[ALLOC][2]
        self.assertEqual(builds, {BUILD: 1000, "other": 1000})

    def test_an_update_drops_what_is_no_more(self):
        counts.update(self.path, BUILD, {ALLOC: NOW[ALLOC]}, self.before)
        self.assertEqual(list(counts.golden(self.path)), [ALLOC])

    def test_a_table_names_the_build(self):
        text = counts.markdown(BUILD, NOW)
        self.assertIn("| lock | alloc | free |", text)
        self.assertIn("| `qspin` | 0 · 2 · 1,000 | 1 · 3 · 400 |", text)
        self.assertIn(BUILD, text)


if __name__ == "__main__":
    unittest.main()
