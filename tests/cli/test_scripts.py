#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""scripts/bench and scripts/test refuse what they do not know, by name."""

import pathlib
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "scripts" / "analysis"))
sys.dont_write_bytecode = True

import unmeasured  # noqa: E402

USAGE = 2


def sample(valid, **changes):
    axes = {"strategy": "nodes", "workload": "lookup", "threads": 1}
    return {**axes, "valid": valid, **changes}


class Scripts(unittest.TestCase):
    def refuses(self, script, *words):
        done = subprocess.run(
            [ROOT / "scripts" / script, *words, "--no-install"],
            capture_output=True,
            text=True,
        )
        self.assertEqual(done.returncode, USAGE, done.stderr)
        return done.stderr.splitlines()[0]

    def test_an_unknown_word_is_named(self):
        for script in ("bench", "test"):
            self.assertIn("nope", self.refuses(script, "nope"))

    def test_an_unknown_label_is_named_with_those_that_are_known(self):
        said = self.refuses("test", "--label", "nope")
        self.assertIn("nope: one of unit contract model", said)

    def test_an_unknown_preset_is_named_with_those_that_are_known(self):
        said = self.refuses("test", "--preset", "nope")
        self.assertIn("nope: one of dev release asan tsan", said)


class Unmeasured(unittest.TestCase):
    def test_cells_without_a_valid_sample_are_counted(self):
        two = sample(False, threads=2)
        said = unmeasured.sentence([sample(True), sample(False), two, two])
        self.assertIn("1 of 2 cells have no valid sample", said)

    def test_one_strategy_with_two_mappings_is_two_cells(self):
        cells = [sample(True, mapping="lazy"), sample(False, mapping="keep")]
        self.assertIn("1 of 2 cells", unmeasured.sentence(cells))

    def test_nothing_is_said_where_each_cell_has_one(self):
        samples = [sample(True), sample(False)]
        self.assertIsNone(unmeasured.sentence(samples))


if __name__ == "__main__":
    unittest.main()
