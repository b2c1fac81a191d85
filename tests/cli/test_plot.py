#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""scripts/analysis/plot.py draws what was measured, and nothing else."""

import contextlib
import importlib.util
import io
import json
import pathlib
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "scripts" / "analysis"))
sys.dont_write_bytecode = True

import plot  # noqa: E402


def sample(mops, **changes):
    fields = {
        "strategy": "nodes",
        "variant": "linux-6.12",
        "lock": "qspin",
        "workload": "fix_size",
        "api": "get_vm_area",
        "threads": 1,
        "valid": True,
        "mops": mops,
    }
    return {**fields, **changes}


def document(*samples):
    return {
        "schema": "lfv-results/1",
        "machine": {"cpus_allowed": 2},
        "samples": list(samples),
    }


class PlotTest(unittest.TestCase):
    def line(self, *samples):
        panels = plot.Results(document(*samples)).panels()
        ((_, lines),) = panels.items()
        ((_, points),) = lines.items()
        return points

    def test_a_point_is_the_median_with_its_extremes(self):
        points = self.line(sample(1), sample(9), sample(2))
        self.assertEqual(points, [plot.Point(1, 2, 1, 9, 3)])

    def test_threads_are_in_ascending_order(self):
        points = self.line(sample(1, threads=2), sample(2, threads=1))
        self.assertEqual([p.threads for p in points], [1, 2])

    def test_invalid_samples_are_left_out_and_counted(self):
        results = plot.Results(document(sample(1), sample(7, valid=False)))
        self.assertEqual([s["mops"] for s in results.samples], [1])
        self.assertIn("1 invalid", results.left_out()[0])

    def test_a_point_without_a_valid_sample_is_named(self):
        axes = {"strategy": "list", "workload": "long_busy_list", "threads": 2}
        results = plot.Results(
            document(sample(1), sample(7, valid=False, **axes))
        )
        names = ["list long_busy_list 2 threads"]
        self.assertEqual(results.without_point(), names)
        below = plot.caption(results, results.panels())
        self.assertIn(f"No valid sample: {names[0]}.", below)

    def test_a_point_with_one_valid_sample_is_not_named(self):
        results = plot.Results(document(sample(1), sample(7, valid=False)))
        self.assertEqual(results.without_point(), [])

    def test_one_is_singular_and_two_are_plural(self):
        results = plot.Results(document(sample(1)))
        below = plot.caption(results, results.panels())
        self.assertIn("Median of 1 sample;", below)
        self.assertIn("2 CPUs", below)
        results = plot.Results(document(sample(1), sample(2)))
        results.cpus = 1
        below = plot.caption(results, results.panels())
        self.assertIn("Median of 2 samples;", below)
        self.assertTrue(below.endswith("1 CPU"), below)

    def test_one_lock_may_be_drawn_alone(self):
        both = document(sample(1), sample(2, lock="fas"))
        results = plot.Results(both, "fas")
        self.assertEqual([s["mops"] for s in results.samples], [2])

    def test_what_has_no_lock_is_drawn_beside_any(self):
        free = {"strategy": "lockfree", "variant": "lockfree", "lock": None}
        both = document(sample(1), sample(2, lock="fas"), sample(3, **free))
        results = plot.Results(both, "qspin")
        self.assertEqual([s["mops"] for s in results.samples], [1, 3])
        labels = [label for _, label in results.panels()["fix_size"]]
        self.assertEqual(labels, ["nodes (Linux 6.12)", "lockfree"])

    def test_one_strategy_with_two_mappings_is_two_lines(self):
        axes = {"strategy": "lockfree", "variant": "lockfree"}
        kinds = [sample(1, mapping=m, **axes) for m in ("keep", "lazy")]
        results = plot.Results(document(*kinds))
        labels = [label for _, label in results.panels()["fix_size"]]
        self.assertEqual(labels, ["lockfree, lazy", "lockfree, keep"])

    def test_more_threads_than_cpus_are_left_out_and_counted(self):
        results = plot.Results(document(sample(1), sample(7, threads=3)))
        self.assertEqual([s["mops"] for s in results.samples], [1])
        self.assertIn("more threads than CPUs", results.left_out()[0])

    def test_the_floor_has_no_panel(self):
        results = plot.Results(
            document(sample(1), sample(300, workload="floor_replace"))
        )
        self.assertEqual(list(results.panels()), ["fix_size"])

    def test_a_factor_that_varies_is_named(self):
        results = plot.Results(document(sample(1), sample(1, lock="fas")))
        labels = [label for _, label in results.panels()["fix_size"]]
        self.assertEqual(
            labels, ["nodes (Linux 6.12), qspin", "nodes (Linux 6.12), fas"]
        )

    def test_operations_of_one_workload_have_panels_of_their_own(self):
        results = plot.Results(
            document(sample(1, op="alloc+free"), sample(1, op="find"))
        )
        self.assertEqual(
            list(results.panels()), ["fix_size: alloc+free", "fix_size: find"]
        )

    def test_panels_and_lines_have_a_fixed_order(self):
        results = plot.Results(
            document(
                sample(1, workload="replace"),
                sample(1, workload="purge_storm"),
                sample(1),
                sample(1, strategy="list", variant="2.4.0"),
            )
        )
        panels = results.panels()
        self.assertEqual(
            list(panels), ["fix_size", "replace", "purge_storm"]
        )
        self.assertEqual(
            [strategy for strategy, _ in panels["fix_size"]], ["list", "nodes"]
        )

    def test_another_schema_is_refused(self):
        with self.assertRaisesRegex(ValueError, "lfv-results/1"):
            plot.Results({"schema": "lfv-results/2", "samples": []})

    @unittest.skipUnless(
        importlib.util.find_spec("matplotlib"), "matplotlib is missing"
    )
    def test_both_pictures_are_written(self):
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "results.json"
            file.write_text(json.dumps(document(sample(1))))
            with contextlib.redirect_stdout(io.StringIO()):
                self.assertEqual(plot.main([str(file)]), 0)
            svg = file.with_suffix(".svg").read_text()
            self.assertIn("nodes (Linux 6.12)", svg)
            png = file.with_suffix(".png").read_bytes()
            self.assertEqual(png[1:4], b"PNG")


if __name__ == "__main__":
    unittest.main()
