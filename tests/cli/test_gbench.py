#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""lfv-gbench as a user sees it, and what its checks must catch.

LFV_GBENCH names the binary under test.  No figure is judged here: a sample may
be invalid on a busy machine, and is none the less one.
"""

import json
import os
import subprocess
import unittest

GBENCH = os.environ["LFV_GBENCH"]
TIMEOUT_S = 200
OK, USAGE, CAUGHT = 0, 2, 3
CPUS = len(os.sched_getaffinity(0))
BRIEF = ["--duration=50ms", "--benchmark_format=json"]
BOTH_APIS = ("get_vm_area", "vmalloc")
NO_OPERATION = "too slow: not one operation"
TURNS = 10


def gbench(*words):
    return subprocess.run(
        [GBENCH, *words], capture_output=True, text=True, timeout=TIMEOUT_S
    )


class GbenchTest(unittest.TestCase):
    def run_ok(self, *words, expect=OK):
        done = gbench(*words)
        self.assertEqual(
            done.returncode, expect, f"{words}\n{done.stdout}{done.stderr}"
        )
        return done

    def rows(self, *words, expect=OK):
        done = self.run_ok(*BRIEF, *words, expect=expect)
        return json.loads(done.stdout)["benchmarks"]

    def measured(self, *words):
        """Some rows, again where a thread slept through its whole window."""
        for _ in range(TURNS):
            rows = self.rows(*words)
            if not any(
                row.get("error_message", "").startswith(NO_OPERATION)
                for row in rows
            ):
                break
        for row in rows:
            self.assertNotIn("error_message", row)
        return rows


class Flags(GbenchTest):
    def test_help_names_every_axis_and_both_kinds_of_library_flags(self):
        text = self.run_ok("--help").stdout
        for word in ("--strategy", "--cell-limit", "--oversubscribe"):
            self.assertIn(word, text)
        acts, cannot = text.split("have no effect here")
        self.assertIn("--benchmark_filter", acts)
        self.assertIn("--benchmark_min_time", cannot)

    def test_an_unknown_flag_names_the_nearest(self):
        done = self.run_ok("--strateg=list", expect=USAGE)
        self.assertIn("did you mean strategy?", done.stderr)
        done = self.run_ok("--benchmark_filtr=x", expect=USAGE)
        self.assertIn("did you mean benchmark_filter?", done.stderr)

    def test_what_is_unknown_tells_where_the_names_are(self):
        done = self.run_ok("--zzzzzzzzzzzz=1", expect=USAGE)
        self.assertIn("--help", done.stderr)
        done = self.run_ok("--workload=zzzzzzzzzzzz", expect=USAGE)
        self.assertIn("--list-workloads", done.stderr)

    def test_an_out_file_that_cannot_be_written_is_told_first(self):
        done = self.run_ok("--benchmark_out=/nonexistent/f", expect=USAGE)
        self.assertIn("/nonexistent/f cannot be written", done.stderr)

    @unittest.skipIf(CPUS < 2, "more threads than CPUs are refused first")
    def test_a_pin_list_that_is_too_short_is_told_first(self):
        first = min(os.sched_getaffinity(0))
        done = self.run_ok("--threads=2", f"--pin={first}", expect=USAGE)
        self.assertIn("names 1 CPUs for 2 threads", done.stderr)
        self.assertEqual(done.stdout, "")

    def test_a_full_stdout_is_no_success(self):
        for word in ("--help", "--benchmark_list_tests"):
            with open("/dev/full", "w") as full:
                done = subprocess.run(
                    [GBENCH, "--workload=floor", word],
                    stdout=full,
                    stderr=subprocess.PIPE,
                    text=True,
                    timeout=TIMEOUT_S,
                )
            self.assertEqual(done.returncode, CAUGHT, done.stderr)
            self.assertIn("stdout could not be written", done.stderr)

    def test_an_unknown_word_names_the_nearest(self):
        done = self.run_ok("--lock=qspn", expect=USAGE)
        self.assertIn("did you mean qspin?", done.stderr)

    def test_a_flag_without_effect_warns(self):
        done = self.run_ok(
            "--benchmark_min_time=0.1s",
            "--benchmark_list_tests",
            "--workload=floor",
        )
        self.assertIn("--benchmark_min_time has no effect", done.stderr)
        self.assertIn("--duration", done.stderr)

    def test_touch_without_pages_warns(self):
        words = ("--benchmark_list_tests", "--workload=fix_size", "--touch=page")
        told = "--touch has no effect"
        self.assertIn(told, self.run_ok(*words).stderr)
        self.assertNotIn(told, self.run_ok(*words, "--api=vmalloc").stderr)
        self.assertNotIn(told, self.run_ok(*words[:2]).stderr)

    def test_a_filter_without_match_is_an_error(self):
        done = self.run_ok("--benchmark_filter=no_such_cell", expect=USAGE)
        self.assertIn("--benchmark_filter", done.stderr)

    def test_without_flags_all_workloads_and_generations_are_there(self):
        names = self.run_ok("--benchmark_list_tests").stdout.split()
        for word in ("list", "rbtree", "augmented", "nodes", "lockfree"):
            self.assertTrue(any(f"/strategy:{word}/" in n for n in names))
        kept = [n for n in names if "/mapping:keep/" in n]
        self.assertTrue(kept and all("/strategy:lockfree/" in n for n in kept))
        for word in ("fix_size", "purge_storm", "exhaust", "floor"):
            self.assertTrue(any(n.startswith(word + "/") for n in names))

    def test_workloads_are_listed_with_a_line_each(self):
        lines = self.run_ok("--list-workloads").stdout.splitlines()
        self.assertGreater(len(lines), 15)
        for line in lines:
            self.assertGreater(len(line.split()), 3, line)


class Cells(GbenchTest):
    def test_one_cell_runs_and_says_what_it_measured(self):
        (row,) = self.measured("--workload=fix_size", "--strategy=augmented",
                               "--threads=1")
        self.assertGreater(row["lfv_ops"], 0)
        self.assertGreater(row["lfv_seconds"], 0)
        self.assertAlmostEqual(
            row["real_time"] * row["lfv_ops"] / 1e9 / row["lfv_seconds"], 1
        )
        for name in ("overlap", "valid", "core_ns_per_op", "locks_entered",
                     "price_pages_retained", "price_address_span_pages",
                     "price_mappings", "latency_p50_ns"):
            self.assertIn("lfv_" + name, row)

    def test_what_waits_behind_readers_is_shown(self):
        rows = self.rows("--workload=fix_size", "--strategy=rcu,lockfree",
                         "--cache=none", "--threads=1")
        held = {"rcu" if "strategy:rcu" in row["name"] else "others":
                row["lfv_price_held_bytes"] for row in rows}
        self.assertGreater(held["rcu"], 0)
        self.assertEqual(held["others"], 0)

    def test_the_filter_chooses_a_cell(self):
        (row,) = self.rows(
            "--threads=1", "--strategy=list,nodes", "--workload=fix_size",
            "--benchmark_filter=strategy:nodes",
        )
        self.assertIn("/strategy:nodes/", row["name"])

    def test_repetitions_repeat(self):
        rows = self.rows("--threads=1", "--strategy=nodes",
                         "--workload=fix_size", "--benchmark_repetitions=2")
        runs = [r for r in rows if r["run_type"] == "iteration"]
        self.assertEqual(len(runs), 2)

    def test_the_kernels_spelling_runs_a_cell(self):
        (row,) = self.rows("run_test_mask=1", "nr_threads=1", "nr_pages=2",
                           "test_loop_count=1000", "--strategy=nodes")
        self.assertIn("fix_size/", row["name"])
        self.assertIn("/pages:2/", row["name"])

    def test_each_workload_runs_on_each_api(self):
        for api in BOTH_APIS + ("alloc_pages",):
            for row in self.rows(
                "--api=" + api, "--strategy=nodes", "--threads=1",
                "--workload=all", "--duration=5ms",
            ):
                text = row.get("error_message", "too slow: ")
                self.assertTrue(text.startswith("too slow: "), row)

    def test_touched_pages_are_checked_too(self):
        self.measured("--api=vmalloc", "--touch=page", "--threads=1",
                      "--workload=replace", "--strategy=augmented")

    @unittest.skipIf(CPUS < 2, "needs two CPUs")
    def test_an_area_is_freed_by_another_thread(self):
        self.measured("--workload=remote_free", "--threads=2")

    def test_a_floor_has_an_address_for_each_live_area(self):
        self.measured("--workload=floor_replace", "--live=5000", "--threads=1")

    def test_fragmented_memory_refuses_contiguous_frames(self):
        (row,) = self.measured("--workload=vs_kmalloc_fragmented",
                               "--threads=1", "--api=alloc_pages",
                               "--strategy=nodes")
        self.assertEqual(row["lfv_refused_share"], 1)

    def test_a_set_up_beyond_its_limit_is_too_slow_and_no_failure(self):
        (row,) = self.rows("--workload=replace", "--live=1000000",
                           "--strategy=list", "--threads=1",
                           "--cell-limit=100ms")
        self.assertTrue(row["error_message"].startswith("too slow: "))
        self.assertRegex(row["error_message"], r"came to \d+ live areas")

    def test_more_threads_than_cpus_must_be_asked_for(self):
        words = ("--workload=floor", f"--threads={CPUS + 1}")
        done = self.run_ok(*words, expect=USAGE)
        self.assertIn("--oversubscribe", done.stderr)
        self.measured(*words, "--oversubscribe")


class Broken(GbenchTest):
    """Each check must be seen to catch what it is there for."""

    def caught(self, *words):
        (row,) = self.rows("--strategy=busted", *words, expect=CAUGHT)
        self.assertIn("overlap: area 0x", row["error_message"])
        for word in ("strategy busted", "lock qspin", "seed 7"):
            self.assertIn(word, row["error_message"])

    def test_a_range_given_out_twice_is_caught_in_each_workload(self):
        for workload in ("fix_size", "full_fit", "long_busy_list", "replace",
                         "lookup", "exhaust", "purge_storm"):
            for api in BOTH_APIS:
                with self.subTest(workload=workload, api=api):
                    self.caught("--workload=" + workload, "--api=" + api,
                                "--threads=1", "--seed=7")

    @unittest.skipIf(CPUS < 2, "needs two CPUs")
    def test_a_lock_that_does_not_lock_is_caught(self):
        # It may be a check, a crash or a hang: all of them are named.
        for seed in range(1, 9):
            done = gbench(*BRIEF, "--lock=busted", "--strategy=augmented",
                          "--workload=replace", "--threads=2",
                          f"--seed={seed}")
            if done.returncode != OK:
                break
        self.assertNotEqual(done.returncode, OK)
        self.assertRegex(done.stderr, r"lock[ :]busted")
        self.assertRegex(done.stderr, r"seed[ :]?\d")


if __name__ == "__main__":
    unittest.main()
