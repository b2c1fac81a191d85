#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""lfv-bench run with the real lfv-gbench: small runs, and broken engines.

A busy machine may spoil any sample, so a run may end with "nothing could be
measured"; a wrong answer is found all the same.
"""

import pathlib
import sys
import unittest

from bench_tool import BENCH, FAILED, NOTHING, RIGHT, BenchTest

SKIPPED = 77
TINY = ("--duration=30ms", "--rounds=1", "--oversubscribe", "--quiet")


class Measure(BenchTest):
    gbench = None

    def measured(self, *words):
        """Nothing fails; says what was sampled."""
        self.run_cells(*words, *TINY, expect=RIGHT)
        samples = self.read()["samples"]
        for sample in samples:
            self.assertNotEqual(sample["outcome"], "failed", sample)
        return samples

    def check_figures(self, sample):
        ops, seconds = sample["ops"], sample["seconds"]
        self.assertAlmostEqual(sample["mops"] * seconds * 1e6 / ops, 1, 9)
        self.assertAlmostEqual(
            sample["ns_per_op"] * ops / (seconds * 1e9 * sample["cores"]), 1, 9
        )

    def test_every_strategy_is_measured_on_both_planes(self):
        samples = self.measured(
            *("--strategy=all", "--workload=fix_size", "--threads=2"),
            "--api=get_vm_area,vmalloc",
        )
        engine = [s for s in samples if s["strategy"]]
        self.assertEqual(len({s["strategy"] for s in engine}), 9)
        self.assertEqual(
            {s["api"] for s in engine}, {"get_vm_area", "vmalloc"}
        )
        for sample in samples:
            if sample["ops"]:
                self.check_figures(sample)

    def test_every_lock_is_measured(self):
        samples = self.measured(
            *("--lock=all", "--workload=replace", "--threads=1,2"),
        )
        engine = [s for s in samples if s["strategy"]]
        self.assertEqual(len({s["lock"] for s in engine}), 7)

    def test_an_alias_chooses_strategy_and_variant(self):
        samples = self.measured(
            *("--strategy=linux-5.10", "--workload=fix_size", "--threads=1"),
        )
        (one, *_) = [s for s in samples if s["strategy"]]
        self.assertEqual(one["strategy"], "augmented-5.10")
        self.assertEqual(one["variant"], "5.10")

    def test_only_lookups_count_in_lookup(self):
        samples = self.measured(
            *("--strategy=nodes", "--workload=lookup", "--threads=2"),
        )
        for sample in samples:
            self.assertEqual(sample["op"], "lookup")
            if sample["ops"]:
                self.assertEqual(sample["cores"], 1)

    def test_the_speed_of_refusals_is_not_shown_as_one(self):
        cell = ("--workload=vs_kmalloc_fragmented", "--strategy=nodes")
        done = self.run_cells(*cell, *TINY, expect=RIGHT)
        row = next(
            line
            for line in done.stdout.splitlines()
            if line.startswith("alloc_pages")
        )
        self.assertIn("all refused", row)

    def test_a_set_up_that_takes_too_long_is_too_slow(self):
        self.run_cells(
            *("--strategy=list", "--workload=long_busy_list", "--threads=1"),
            *("--live=1000000", "--va-size=256G", "--cell-limit=50ms", *TINY),
            expect=NOTHING,
        )
        (sample,) = self.samples(strategy="list")
        self.assertEqual(sample["outcome"], "too slow")
        self.assertRegex(sample["why_invalid"], r"\d+")

    def test_live_areas_are_replaced_once_over_before_they_are_measured(self):
        self.measured(
            *("--workload=replace", "--live=300"),
            *("--strategy=augmented", "--threads=1"),
        )
        for sample in self.samples(strategy="augmented"):
            aged = sample["counters"]["aged_replacements"]
            self.assertGreaterEqual(aged, 300)
            self.assertLess(aged, 400)

    def caught(self, *words):
        done = self.run_cells(
            *TINY, "--duration=100ms", *words, expect=FAILED
        )
        failed = self.samples(outcome="failed")
        self.assertEqual(len(failed), 1, failed)
        self.assertIn(failed[0]["why_invalid"], done.stderr)
        self.assertIn(f"seed {failed[0]['seed']}", done.stderr)
        return failed[0]

    def test_a_busted_strategy_fails_the_run_naming_the_overlap(self):
        for workload in ("fix_size", "replace"):
            failed = self.caught(
                *("--strategy=busted", f"--workload={workload}"),
                "--threads=2",
            )
            self.assertIn("overlap", failed["why_invalid"])

    def test_a_busted_strategy_is_caught_by_one_thread(self):
        failed = self.caught(
            "--strategy=busted", "--workload=replace", "--threads=1"
        )
        self.assertIn("overlap", failed["why_invalid"])

    def test_a_busted_lock_fails_the_run(self):
        for strategy in ("nodes", "rbtree"):
            failed = self.caught(
                *("--lock=busted", f"--strategy={strategy}"),
                # Two threads may miss each other once, not each time.
                *("--workload=replace", "--threads=2", "--rounds=4"),
            )
            self.assertEqual(failed["lock"], "busted")
            self.assertEqual(failed["valid"], False)

    def test_others_are_measured_beside_a_busted_one(self):
        self.run_cells(
            *("--strategy=busted,nodes", "--workload=replace", *TINY),
            *("--threads=1", "--duration=100ms"),
            expect=FAILED,
        )
        for sample in self.samples(strategy="nodes"):
            self.assertNotEqual(sample["outcome"], "failed", sample)
        self.assertTrue(self.samples(strategy="nodes"))
        self.assertEqual(self.read()["plan"]["complete"], True)


if __name__ == "__main__":
    if not pathlib.Path(BENCH).with_name("lfv-gbench").exists():
        print("lfv-gbench was not built")
        sys.exit(SKIPPED)
    unittest.main()
