#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""lfv-bench itself, its verbs, and `lfv-bench list`."""

import json
import os
import unittest

from bench_tool import USAGE, BenchTest

GENERATIONS = ["list", "rbtree", "augmented", "nodes"]
LOCKS = "qspin fas ticket mcs pthread-mutex pthread-spin pthread-rwlock busted"


class List(BenchTest):
    def listed(self, *words):
        return json.loads(self.bench("list", "--json", *words).stdout)

    def names(self, what):
        return [row["name"] for row in self.listed(what)[what]]

    def test_it_has_each_kind_of_thing(self):
        self.assertEqual(
            list(self.listed()),
            "strategies locks caches frames mappings flushes workers "
            "percpus workloads metrics refused_pairs".split(),
        )

    def test_the_four_generations_stand_in_their_order(self):
        names = [n for n in self.names("strategies") if n in GENERATIONS]
        self.assertEqual(names, GENERATIONS)

    def test_kernel_releases_are_aliases(self):
        aliases = {
            alias: row["name"]
            for row in self.listed("strategies")["strategies"]
            for alias in row["aliases"]
        }
        self.assertEqual(
            aliases,
            {
                "linux-2.4": "list",
                "linux-2.6.28": "rbtree-2.6.28",
                "linux-4.19": "rbtree",
                "linux-5.10": "augmented-5.10",
                "linux-6.1": "augmented",
                "linux-6.12": "nodes",
            },
        )

    def test_all_locks_are_there(self):
        self.assertEqual(self.names("locks"), LOCKS.split())

    def test_everything_has_one_line_of_explanation(self):
        for what, rows in self.listed().items():
            for row in rows:
                line = row["why" if what == "refused_pairs" else "summary"]
                self.assertTrue(line and "\n" not in line, row)

    def test_a_refused_pair_is_one_that_run_refuses(self):
        pair = self.listed("refused_pairs")["refused_pairs"][0]
        one, other = pair["name"].split(), pair["with"].split()
        done = self.bench(
            "run",
            *(f"--{one[0]}", one[1], f"--{other[0]}", other[1]),
            expect=USAGE,
        )
        self.assertIn(pair["why"], done.stderr)

    def test_singular_and_plural_are_one(self):
        self.assertEqual(
            self.bench("list", "lock").stdout,
            self.bench("list", "locks").stdout,
        )

    def test_text_names_all_that_json_names(self):
        text = self.bench("list").stdout
        for rows in self.listed().values():
            for row in rows:
                self.assertIn(row["name"], text)

    def test_a_misspelt_list_has_its_nearest_named(self):
        done = self.bench("list", "lokcs", expect=USAGE)
        self.assertIn("did you mean locks?", done.stderr)
        self.assertIn("there are strategies locks caches", done.stderr)
        self.assertEqual(done.stdout, "")


class Verbs(BenchTest):
    def test_help_is_on_stdout(self):
        self.assertIn("usage: lfv-bench", self.bench("--help").stdout)

    def test_version_is_one_line(self):
        self.assertRegex(
            self.bench("--version").stdout, r"^lfv-bench \d+\.\d+\.\d+\n$"
        )

    def test_no_verb_is_a_usage_error(self):
        self.bench(expect=USAGE)

    def test_a_misspelt_verb_has_its_nearest_named(self):
        done = self.bench("lits", expect=USAGE)
        self.assertIn("did you mean list?", done.stderr)

    def test_a_program_in_path_is_a_verb(self):
        program = self.folder / "lfv-bench-greet"
        program.write_text('#!/bin/sh\necho "hello $1"; exit 9\n')
        program.chmod(0o755)
        path = f"{self.folder}:{os.environ['PATH']}"
        done = self.bench("greet", "you", expect=9, PATH=path)
        self.assertEqual(done.stdout, "hello you\n")

    def test_a_verb_is_no_path(self):
        self.bench("../../bin/true", expect=USAGE)


if __name__ == "__main__":
    unittest.main()
