#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""lfv-bench replay as a user sees it: recorded traffic on every strategy."""

import contextlib
import gzip
import os
import pathlib
import signal
import subprocess
import time
import unittest

from bench_tool import BENCH, FAILED, NOTHING, TIMEOUT_S, USAGE, BenchTest
from bench_tool import strategies as bench_names
from replay_text import PAGE, Recording, snapshot

FIXTURES = pathlib.Path(__file__).resolve().parent.parent / "fixtures/traces"
STORM = FIXTURES / "process-storm.trace.gz"
NAMESPACES = FIXTURES / "namespaces.trace.gz"
FILTERS = FIXTURES / "bpf-filters.trace.gz"
PERF = FIXTURES / "bpf-filters.perf-script.gz"

GENERATIONS = ["list", "rbtree", "augmented", "nodes"]
FOUR = ("--strategy", ",".join(GENERATIONS))
VARIANTS = ["list-2.6.24", "rbtree-2.6.28", "augmented-5.10"]
ALL = GENERATIONS + VARIANTS + ["lockfree"]
# What is replayed when nothing is asked for: lockfree with lazy and with keep.
OTHERS = [n for n in ("rcu", "lockfree", "lockfree") if n in bench_names()]
DEFAULT = GENERATIONS + OTHERS
QUICK = ("--quiet", "--cell-limit=1ms")


def first_fit(cpus=1):
    """Twenty areas side by side, from the low end; every other one ends."""
    recording = Recording()
    for i in range(20):
        recording.alloc(i * 5, 5, cpu=i % cpus)
    for i in range(0, 20, 2):
        recording.free(i * 5, cpu=(i + 1) % cpus)
    return recording


class ReplayTest(BenchTest):
    def replay(self, *words, expect=0):
        return self.bench(
            "replay", *words, *QUICK, "-o", self.result, expect=expect
        )

    def file(self, name, text):
        path = self.folder / name
        path.write_text(text)
        return path

    def check_right(self, strategies, files=1):
        samples = self.read()["samples"]
        self.assertEqual(
            [s["strategy"] for s in samples], strategies * files
        )
        for sample in samples:
            self.assertEqual(sample["outcome"], "measured", sample)
            counters = sample["counters"]
            for fault in ("failed", "overlaps", "misplaced", "unaccounted"):
                self.assertEqual(counters[fault], 0, sample)
        return samples


class Fixtures(ReplayTest):
    def check_file(self, path, *words):
        self.replay(path, "--strategy", ",".join(ALL), *words)
        return self.check_right(ALL)

    def test_process_storm_is_right_on_every_strategy(self):
        for sample in self.check_file(STORM):
            self.assertEqual(sample["counters"]["allocs"], 10885)
            self.assertEqual(sample["counters"]["frees"], 10878)
            self.assertEqual(sample["counters"]["preloads"], 247)

    def test_bpf_filters_are_right_on_every_strategy(self):
        self.check_file(FILTERS)

    def test_namespaces_are_right_on_every_strategy(self):
        self.check_file(NAMESPACES)

    def test_perf_script_is_right_on_every_strategy(self):
        for sample in self.check_file(PERF):
            self.assertEqual(sample["counters"]["preloads"], 0)

    def test_each_is_right_with_a_thread_for_each_cpu(self):
        files = (NAMESPACES, FILTERS, PERF)
        self.replay(*files, "--parallel", "--oversubscribe")
        for sample in self.check_right(DEFAULT, len(files)):
            self.assertEqual(sample["threads"], 2)

    def test_each_is_right_with_frames_and_mappings(self):
        self.replay(NAMESPACES, PERF, "--api", "vmalloc")
        for sample in self.check_right(DEFAULT, 2):
            counters = sample["counters"]
            # What is kept is mapped once.
            least = 1 if sample["mapping"] == "keep" else 84
            self.assertGreaterEqual(counters["map_calls"], least)
            self.assertEqual(
                counters["system_calls"],
                counters["map_calls"]
                + counters["unmap_calls"]
                + counters["guard_calls"],
            )

    def test_a_worker_changes_no_answer(self):
        self.replay(FILTERS, "--worker", "thread")
        self.check_right(DEFAULT)


class Figures(ReplayTest):
    def test_first_fit_finds_the_recorded_places(self):
        self.replay(self.file("f.trace", first_fit().text()), *FOUR)
        for sample in self.check_right(GENERATIONS):
            counters = sample["counters"]
            self.assertEqual(counters["same_places"], 20)
            self.assertEqual(counters["span_pages_max"], 100)
            self.assertEqual(counters["span_pages_end"], 95)
            self.assertEqual(counters["span_free_pages_end"], 45)
            self.assertEqual(counters["span_gap_pages_end"], 5)
            self.assertEqual(counters["top_page_max"], 100)
            for name in ("span_pages_max", "span_gap_pages_end"):
                self.assertEqual(
                    counters[name], counters[f"recorded_{name}"]
                )

    def test_freed_areas_are_retained_until_the_purge(self):
        self.replay(self.file("f.trace", first_fit().text()), *FOUR)
        retained = {
            s["strategy"]: (
                s["counters"]["retained_pages_end"],
                s["price"]["pages_retained"],
            )
            for s in self.read()["samples"]
        }
        self.assertEqual(retained.pop("list"), (0, 0))
        self.assertEqual(set(retained.values()), {(50, 100)})

    def test_what_waits_behind_readers_is_counted(self):
        self.replay(STORM, "--strategy=rcu,augmented", "--cache=none")
        held = {
            s["strategy"]: s["price"]["held_bytes"]
            for s in self.read()["samples"]
        }
        self.assertEqual(held["augmented"], 0)
        self.assertGreater(held["rcu"], 0)

    def test_another_place_is_not_counted_as_the_same(self):
        recording = Recording()
        recording.alloc(7, 5)
        self.replay(self.file("f.trace", recording.text()))
        for sample in self.check_right(DEFAULT):
            self.assertEqual(sample["counters"]["same_places"], 0)

    def test_lists_take_one_lock_an_operation(self):
        self.replay(STORM, "--strategy=list")
        (sample,) = self.check_right(["list"])
        counters = sample["counters"]
        self.assertEqual(counters["locks_entered"], counters["steps"])
        operations = ("allocs", "frees", "dropped")
        self.assertEqual(
            counters["steps"], sum(counters[name] for name in operations)
        )

    def test_lazy_pages_are_purged_at_their_limit(self):
        self.replay(STORM, "--strategy=rbtree", "--cpus=1")
        (sample,) = self.check_right(["rbtree"])
        counters = sample["counters"]
        limit = 32 * 2**20 // PAGE
        self.assertEqual(
            counters["purges"],
            (counters["purged_pages"] + counters["lazy_pages_end"]) // limit,
        )
        self.assertLessEqual(counters["retained_pages_max"], limit + 512)

    def test_the_worst_operation_is_a_step_of_the_recording(self):
        self.replay(STORM, "--strategy=rbtree")
        (sample,) = self.read()["samples"]
        counters, latency = sample["counters"], sample["latency"]
        self.assertEqual(counters["worst_ns"], latency["max_ns"])
        self.assertEqual(latency["count"], counters["steps"])
        self.assertLessEqual(latency["p50_ns"], latency["p99_ns"])
        self.assertGreaterEqual(counters["worst_step"], counters["preloads"])

    def test_too_short_a_recording_has_no_figure_of_speed(self):
        recording = Recording()
        recording.alloc(0, 5)
        done = self.replay(self.file("f.trace", recording.text()))
        self.assertIn("n/a", done.stdout)
        for sample in self.read()["samples"]:
            # A pass in which the machine stalled is long enough.
            is_long = sample["counters"]["wall_ns"] >= 10**8
            self.assertEqual(sample["ops"] is not None, is_long)
            self.assertEqual(sample["ns_per_op"] is not None, is_long)

    def test_speed_is_of_whole_replays_of_100_ms(self):
        self.bench(
            *("replay", STORM, "--quiet", "-o", self.result),
            "--strategy=nodes",
        )
        (sample,) = self.read()["samples"]
        counters = sample["counters"]
        self.assertGreaterEqual(counters["wall_ns"], 10**8)
        self.assertEqual(
            sample["ops"], counters["replays"] * counters["steps"]
        )
        self.assertAlmostEqual(
            sample["ns_per_op"], sample["seconds"] * 1e9 / sample["ops"]
        )

    def test_a_result_has_the_fields_of_every_other(self):
        self.replay(NAMESPACES, "--strategy=rbtree", "--rounds=2")
        result = self.read()
        self.assertEqual(result["schema"], "lfv-results/1")
        self.assertEqual(result["plan"]["complete"], True)
        self.assertEqual(result["plan"]["rounds"], 2)
        self.assertEqual([s["round"] for s in result["samples"]], [0, 1])
        sample = result["samples"][0]
        self.assertEqual(
            sample["workload"], "replay:namespaces.trace.gz"
        )
        self.assertEqual(sample["variant"], "4.19")
        self.assertEqual(sample["lock"], "qspin")
        self.assertEqual(sample["worker"], "none")
        self.assertEqual(sample["mapping"], "lazy")
        self.assertEqual(sample["threads"], 1)
        self.assertIsNone(sample["pages"])

    def test_the_table_names_strategies_and_units(self):
        done = self.replay(NAMESPACES)
        for word in (*GENERATIONS, "(recorded)", "span max, MiB", "ns/op"):
            self.assertIn(word, done.stdout)
        self.assertEqual(done.stderr, "")

    def test_json_takes_the_place_of_the_table(self):
        done = self.replay(NAMESPACES, "--json", "--strategy=list")
        self.assertTrue(done.stdout.startswith("{"), done.stdout)


class Windows(ReplayTest):
    def test_modules_stay_in_a_range_of_their_own(self):
        recording = first_fit()
        for i in range(4):
            recording.alloc(i * 3, 3, modules=True)
        recording.free(3, modules=True)
        self.replay(self.file("f.trace", recording.text()))
        for sample in self.check_right(DEFAULT):
            self.assertEqual(sample["counters"]["same_places"], 24)
            self.assertEqual(sample["counters"]["top_page_max"], 100)

    def test_alignment_is_kept(self):
        recording = Recording()
        recording.alloc(0, 3)
        for i in range(1, 9):
            recording.alloc(i * 16, 9, align=16 * PAGE)
        self.replay(self.file("f.trace", recording.text()))
        self.check_right(DEFAULT)

    def test_areas_without_a_guard_page_are_replayed(self):
        recording = Recording()
        for i in range(8):
            recording.alloc(i, 1)
        self.replay(self.file("f.trace", recording.text()))
        for sample in self.check_right(DEFAULT):
            self.assertEqual(sample["counters"]["span_pages_end"], 8)

    def test_the_window_grows_to_what_was_used(self):
        recording = Recording()
        recording.alloc(0, 5)
        recording.alloc(2**25, 5)
        self.replay(self.file("f.trace", recording.text()))
        for sample in self.check_right(DEFAULT):
            self.assertGreater(sample["va_size"], 2 * 2**25 * PAGE)

    def test_a_wider_window_is_taken_as_asked(self):
        self.replay(
            self.file("f.trace", first_fit().text()), "--va-size=256G"
        )
        for sample in self.check_right(DEFAULT):
            self.assertEqual(sample["va_size"], 256 * 2**30)


class Snapshots(ReplayTest):
    def trace(self):
        recording = Recording()
        recording.alloc(10, 5)
        recording.free(0)
        return self.file("f.trace", recording.text())

    def preloads(self):
        return {s["counters"]["preloads"] for s in self.read()["samples"]}

    def test_the_one_beside_is_taken_and_named(self):
        trace = self.trace()
        beside = self.file("f.vmallocinfo", snapshot((0, 5), (20, 5)))
        done = self.bench(
            *("replay", trace, "--cell-limit=1ms", "-o", self.result),
            *FOUR,
        )
        self.check_right(GENERATIONS)
        self.assertEqual(self.preloads(), {2})
        for sample in self.read()["samples"]:
            counters = sample["counters"]
            self.assertEqual(counters["top_page_max"], 10)
            self.assertEqual(counters["recorded_top_page_max"], 15)
        self.assertIn(f"2 areas live before from {beside}", done.stderr)

    def test_it_may_be_left_out(self):
        self.file("f.vmallocinfo", snapshot((0, 5)))
        done = self.bench(
            *("replay", self.trace(), "--no-snapshot", *FOUR),
            *("--cell-limit=1ms", "-o", self.result),
        )
        self.assertEqual(self.preloads(), {0})
        self.assertIn("no snapshot", done.stderr)
        self.assertIn("4 cells, 1 round of them\n", done.stderr)

    def test_another_may_be_named(self):
        other = self.file("other", snapshot((0, 5), (20, 5), (30, 5)))
        self.replay(self.trace(), "--snapshot", other)
        self.check_right(DEFAULT)
        self.assertEqual(self.preloads(), {3})

    def test_areas_are_where_they_were(self):
        # The holes of 5 pages before 40 and the rest behind are all there is.
        other = self.file("other", snapshot((0, 5), (10, 30), (40, 5)))
        self.replay(self.trace(), "--snapshot", other, *FOUR)
        for sample in self.check_right(GENERATIONS):
            self.assertEqual(sample["counters"]["preloads_moved"], 0)
            self.assertEqual(sample["counters"]["span_pages_max"], 45)

    def test_hashed_addresses_are_refused(self):
        hashed = "0x00000000deadbeef-0x00000000cafebabe    8192 f+0x1/0x2\n"
        other = self.file("other", hashed)
        done = self.replay(
            self.trace(), "--snapshot", other, expect=USAGE
        )
        self.assertIn("hashed", done.stderr)
        self.assertIn(str(other), done.stderr)

    def test_one_snapshot_is_of_one_recording(self):
        trace = self.trace()
        done = self.replay(
            trace, trace, "--snapshot", trace, expect=USAGE
        )
        self.assertIn("one recording", done.stderr)


class Parallel(ReplayTest):
    def test_a_free_waits_for_its_allocation(self):
        # At first CPU 1 only frees what CPU 0 allocates.
        recording = Recording()
        for i in range(2000):
            recording.alloc(i * 5, 5, cpu=0)
            recording.free(i * 5, cpu=1)
        # To and fro: whichever comes late, the other has to wait for it.
        for i in range(10):
            recording.alloc(i * 10, 5, cpu=0)
            recording.free(i * 10, cpu=1)
            recording.alloc(i * 10 + 5, 5, cpu=1)
            recording.free(i * 10 + 5, cpu=0)
        trace = self.file("f.trace", recording.text())
        done = self.replay(trace, "--parallel", "--oversubscribe")
        for sample in self.check_right(DEFAULT):
            self.assertEqual(sample["threads"], 2)
            self.assertEqual(sample["counters"]["steps"], 4040)
        waits = sum(s["counters"]["waits"] for s in self.read()["samples"])
        self.assertGreater(waits, 0)
        self.assertIn("waited, us", done.stdout)

    def test_more_cpus_than_there_are_must_be_allowed(self):
        cpus = len(os.sched_getaffinity(0)) + 1
        trace = self.file("f.trace", first_fit(cpus).text())
        done = self.replay(trace, "--parallel", expect=USAGE)
        self.assertIn("--oversubscribe", done.stderr)
        done = self.replay(trace, "--parallel", "--oversubscribe")
        self.check_right(DEFAULT)
        self.assertIn("preemption, not scaling", done.stdout)

    def test_an_inversion_is_replayed(self):
        # The next owner's allocation is printed before the last one's free.
        recording = Recording()
        recording.alloc(0, 5, cpu=0)
        recording.alloc(0, 5, cpu=1)
        recording.free(0, cpu=0)
        trace = self.file("f.trace", recording.text())
        self.replay(trace, "--parallel", "--oversubscribe")
        self.check_right(DEFAULT)


class Inputs(ReplayTest):
    def test_standard_input_is_read(self):
        with gzip.open(NAMESPACES) as stream:
            done = subprocess.run(
                [BENCH, "replay", "-", *QUICK, "-o", self.result],
                input=stream.read(),
                capture_output=True,
                timeout=TIMEOUT_S,
            )
        self.assertEqual(done.returncode, 0, done.stderr)
        samples = self.check_right(DEFAULT)
        self.assertEqual(samples[0]["workload"], "replay:stdin")

    def test_a_pipe_may_be_read_once_only(self):
        done = subprocess.run(
            [
                *("bash", "-c"),
                '"$0" replay <(zcat "$1") --quiet --cell-limit=1ms -o "$2"',
                *(BENCH, NAMESPACES, self.result),
            ],
            capture_output=True,
            timeout=TIMEOUT_S,
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        self.check_right(DEFAULT)

    def test_a_missing_file_is_named(self):
        done = self.replay("no-such.trace", expect=USAGE)
        self.assertIn("no-such.trace: cannot open", done.stderr)

    def test_an_empty_file_is_nothing_to_replay(self):
        done = self.replay(self.file("f.trace", ""), expect=NOTHING)
        self.assertIn("is empty", done.stderr)

    def test_other_events_are_nothing_to_replay(self):
        recording = Recording()
        recording.event(0, "sched_switch: prev_comm=a next_comm=b")
        trace = self.file("f.trace", recording.text())
        done = self.replay(trace, expect=NOTHING)
        self.assertIn("no vmalloc event", done.stderr)

    def test_a_truncated_file_is_refused(self):
        cut = self.folder / "cut.trace.gz"
        cut.write_bytes(STORM.read_bytes()[:20000])
        done = self.replay(cut, expect=USAGE)
        self.assertIn("cut off", done.stderr)

    def test_a_bad_file_stops_before_the_first_sample(self):
        self.replay(NAMESPACES, "no-such.trace", expect=USAGE)
        self.assertFalse(self.result.exists())

    def test_a_file_must_be_given(self):
        done = self.bench("replay", expect=USAGE)
        self.assertIn("which FILE", done.stderr)

    def test_an_unknown_strategy_is_refused(self):
        done = self.replay(STORM, "--strategy=rbtre", expect=USAGE)
        self.assertIn("rbtree", done.stderr)

    def test_a_pair_that_cannot_be_is_refused(self):
        self.replay(
            STORM, "--strategy=list", "--mapping=lazy", expect=USAGE
        )

    def test_help_is_help(self):
        done = self.bench("replay", "--help")
        self.assertIn("--parallel", done.stdout)

    def test_no_task_is_no_sample(self):
        self.bench("replay", "--sample-fd=999", expect=USAGE)


class Failures(ReplayTest):
    def test_a_range_that_was_given_twice_is_caught(self):
        done = self.replay(STORM, "--strategy=busted", expect=FAILED)
        self.assertRegex(
            done.stderr,
            r"strategy busted, lock qspin, .*: overlap at page 0x[0-9a-f]+ "
            r".*step \d+ \(alloc of \d+ pages, slot \d+, at [\d.]+ ms\) "
            r"was given what slot \d+ still has",
        )
        (sample,) = self.read()["samples"]
        self.assertEqual(sample["valid"], False)
        self.assertIn("overlap", sample["why_invalid"])
        self.assertGreater(sample["counters"]["overlaps"], 0)

    def test_it_is_caught_among_threads(self):
        done = self.replay(
            STORM, "--strategy=busted", "--parallel", expect=FAILED
        )
        self.assertIn("overlap", done.stderr)

    def test_the_others_go_on(self):
        self.replay(
            STORM, "--strategy=busted,rbtree", "--rounds=2", expect=FAILED
        )
        samples = self.read()["samples"]
        self.assertEqual(
            sorted((s["strategy"], s["valid"]) for s in samples),
            [("busted", False), ("rbtree", True), ("rbtree", True)],
        )

    def test_a_refused_allocation_is_a_failure(self):
        # In a window of 15 pages only the hole of 5 between two areas is
        # left: Linux 2.4.0 wants it larger than what goes in.
        recording = Recording()
        recording.alloc(0, 5)
        for page in (100, 105, 110):
            recording.alloc(page, 5, window=(100, 115))
        recording.free(105)
        recording.alloc(105, 5, window=(100, 115))
        trace = self.file("f.trace", recording.text())
        done = self.replay(
            trace, "--strategy=list,list-2.6.24", expect=FAILED
        )
        self.assertIn("failed: step 5 (alloc of 5 pages, slot 4", done.stderr)
        (refused, right) = self.read()["samples"]
        self.assertEqual(refused["counters"]["failed"], 1)
        self.assertEqual(refused["valid"], False)
        self.assertEqual(right["valid"], True)

    def struck_down(self, signum):
        """The processes of samples are sent a signal, until one has it."""
        parent = subprocess.Popen(
            [
                *(BENCH, "replay", NAMESPACES, "--quiet", "--rounds=1000"),
                *("--strategy=list", "--cell-limit=1ms", "-o", self.result),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        proc = pathlib.Path("/proc")
        children = proc / f"{parent.pid}/task/{parent.pid}/children"
        while parent.poll() is None:
            # One that has just ended takes no signal, or is gone.
            with contextlib.suppress(ProcessLookupError, FileNotFoundError):
                for child in children.read_text().split():
                    # A sanitizer has children, too.
                    command = (proc / child / "cmdline").read_bytes()
                    if b"--sample-fd" in command:
                        os.kill(int(child), signum)
            time.sleep(0.001)
        _, stderr = parent.communicate()
        self.assertEqual(parent.returncode, FAILED, stderr)
        return stderr

    def test_a_crash_names_its_signal(self):
        stderr = self.struck_down(signal.SIGABRT)
        self.assertIn("strategy list, lock qspin", stderr)
        self.assertIn("crash: SIGABRT", stderr)

    def test_a_hang_is_killed(self):
        stderr = self.struck_down(signal.SIGSTOP)
        self.assertIn("strategy list, lock qspin", stderr)
        self.assertIn("hang: killed after", stderr)


if __name__ == "__main__":
    unittest.main()
