#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""lfv-bench run: flags, plan, dry run, result file and tables."""

import collections
import math
import os
import pty
import shlex
import signal
import subprocess
import time
import unittest

from bench_tool import BENCH, FAILED, NOTHING, TIMEOUT_S, USAGE, BenchTest

CPUS = len(os.sched_getaffinity(0))
FOUR = ("--strategy", "list,rbtree,augmented,nodes")
SAMPLE_KEYS = (
    "strategy variant lock lock_yield cache frames mapping flush worker percpu "
    "hardened nodes workload api pages align live touch va_size cpus op threads pin "
    "oversubscribe round seed ops seconds mops ns_per_op cores outcome valid "
    "why_invalid off_mode latency price counters"
).split()
MACHINE_KEYS = (
    "cpu_model cpus_allowed cpus_allowed_list cpus_online kernel compiler "
    "build_type version commit governor max_map_count memory_bytes"
).split()
PLAN_KEYS = (
    "command seed rounds cells duration_seconds cell_limit_seconds complete"
).split()


class Flags(BenchTest):
    def refused(self, *words):
        done = self.bench("run", *words, expect=USAGE)
        self.assertEqual(done.stdout, "")
        return done.stderr

    def test_a_misspelt_strategy_has_its_nearest_named(self):
        self.assertIn(
            "no strategy is called 'ndoes'; did you mean nodes?",
            self.refused("--strategy", "list,ndoes"),
        )

    def test_a_choice_that_is_no_pair_is_refused(self):
        self.assertIn(
            "'+keep': +AXIS=VALUE is expected",
            self.refused("--strategy", "list,lockfree+keep"),
        )

    def test_a_misspelt_flag_has_its_nearest_named(self):
        self.assertIn(
            "no flag 'stratgy'; did you mean strategy?",
            self.refused("--stratgy", "list"),
        )

    def test_a_missing_value_is_named(self):
        self.assertIn("run: -o wants a value: FILE", self.refused("-o"))

    def test_zero_rounds_are_refused(self):
        self.assertIn("--rounds is '0'", self.refused("--rounds", 0))

    def test_a_plain_word_is_refused(self):
        self.assertIn("'nodes' is no flag", self.refused("nodes"))

    def test_more_threads_than_cpus_want_oversubscribe(self):
        message = self.refused("--threads", CPUS + 1)
        self.assertIn(f"more than the {CPUS} CPU", message)
        self.assertIn("--oversubscribe", message)

    def test_a_pin_list_that_is_too_short_wants_oversubscribe(self):
        first = min(os.sched_getaffinity(0))
        self.assertIn(
            "--oversubscribe", self.refused("--threads", 2, "--pin", first)
        )

    def test_a_file_that_cannot_be_written_is_told_first(self):
        for path in (self.folder / "no" / "r.json", self.folder, "/dev/null"):
            self.assertIn("cannot be written", self.refused("-o", path))
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_no_name_is_no_file(self):
        self.assertIn("cannot be written", self.refused("-o", ""))

    def test_a_device_is_no_file(self):
        message = self.refused("-o", "/dev/full")
        self.assertIn("not a regular file; --json", message)

    def test_a_dry_run_has_no_json(self):
        self.assertIn("contradict", self.refused("--json", "--dry-run"))

    def test_a_missing_gbench_is_told(self):
        done = self.bench("run", expect=NOTHING, LFV_GBENCH="/nonexistent")
        self.assertIn("/nonexistent", done.stderr)


class DryRun(BenchTest):
    def commands(self, *words):
        done = self.bench("run", "--dry-run", "--quiet", *words)
        return [shlex.split(line) for line in done.stdout.splitlines()]

    def test_it_prints_each_command_and_runs_none(self):
        commands = self.commands(
            *("--strategy", "list,nodes", "--workload", "fix_size"),
            *("--threads", "1", "--rounds", "3", "-o", self.result),
        )
        self.assertEqual(len(commands), 3 * 3)
        self.assertFalse(self.result.exists())
        for command in commands:
            self.assertEqual(command[0], self.gbench)
            self.assertIn("--threads=1", command)

    def test_a_command_names_every_factor(self):
        command = self.commands(
            *("--strategy=linux-4.19", "--lock=ticket", "--lock-yield=off"),
            *("--worker=thread", "--workload=replace", "--api=vmalloc"),
            *("--frames=paired", "--flush=guard", "--mapping=strict"),
            *("--pages=2-7", "--align=8K", "--live=99", "--touch=page"),
            *("--threads=1", "--pin=none", "--duration=20ms"),
            *("--va-size=1G", "--cell-limit=3s", "--rounds=1", "--seed=5"),
        )
        words = [c for c in command if "--workload=replace" in c][0]
        for word in (
            "--strategy=rbtree --lock=ticket --lock-yield=off --worker=thread "
            "--api=vmalloc --frames=paired --flush=guard --mapping=strict "
            "--pages=2-7 --align=8K --live=99 --touch=page --threads=1 "
            "--pin=none --duration=20ms --va-size=1G --cell-limit=3s"
        ).split():
            self.assertIn(word, words)

    def test_the_kernels_spellings_are_accepted(self):
        kernel = self.commands("nr_pages=8", "nr_threads=1", "run_test_mask=9")
        ours = self.commands(
            "--pages=8", "--threads=1", "--workload=fix_size,random_size"
        )
        self.assertEqual(kernel, ours)

    def test_test_loop_count_reaches_the_sample(self):
        for command in self.commands("test_loop_count=1000", "--rounds=1"):
            self.assertIn("--loops=1000", command)

    def test_threads_cpus_are_the_powers_of_two(self):
        found = {
            word
            for command in self.commands(
                "--threads=cpus", "--workload=fix_size"
            )
            for word in command
            if word.startswith("--threads=")
        }
        expected = {CPUS} | {
            2**i for i in range(int(math.log2(CPUS)) + 1)
        }
        self.assertEqual(found, {f"--threads={n}" for n in expected})

    def test_the_seed_decides_the_order(self):
        first = self.commands("--seed=1")
        self.assertEqual(first, self.commands("--seed=1"))
        self.assertNotEqual(first, self.commands("--seed=2"))

    def test_the_default_compares_the_generations_and_lockfree_twice(self):
        rows = {
            tuple(
                word.partition("=")[2]
                for word in command
                if word.startswith(("--strategy=", "--mapping="))
            )
            for command in self.commands("--workload=fix_size", "--threads=1")
            if "--workload=fix_size" in command
        }
        linux = {("rbtree", "lazy"), ("augmented", "lazy"), ("nodes", "lazy")}
        ours = {("lockfree", "lazy"), ("lockfree", "keep")}
        self.assertEqual(
            {row for row in rows if row[0] != "rcu"},
            {("list", "strict")} | linux | ours,
        )

    def test_a_strategy_may_have_choices_of_its_own(self):
        commands = self.commands(
            "--strategy=list,augmented+cache=percpu+mapping=keep",
            *("--workload=fix_size", "--threads=1", "--rounds=1"),
        )
        (kept,) = [c for c in commands if "--strategy=augmented" in c]
        self.assertIn("--mapping=keep", kept)
        (plain,) = [c for c in commands if "--strategy=list" in c]
        self.assertIn("--mapping=strict", plain)
        self.assertIn("--cache=none", plain)

    def test_another_factor_leaves_one_strategy(self):
        for factor, strategy in (
            ("--frames=buddy,bitmap", "lockfree"),
            ("--lock=fas,ticket", "nodes"),
            ("--nodes=1,4", "nodes"),
        ):
            commands = self.commands(factor, "--workload=replace")
            engine = [c for c in commands if "--api=none" not in c]
            self.assertTrue(engine)
            for command in engine:
                self.assertIn("--strategy=" + strategy, command)

    def test_rounds_are_interleaved(self):
        commands = self.commands(
            *("--workload=fix_size", "--threads=1", "--rounds=4"),
            "--strategy=list,rbtree,augmented,nodes",
        )
        places = collections.defaultdict(set)
        for turn in range(4):
            seen = [
                word
                for command in commands[turn * 5 : turn * 5 + 5]
                for word in command
                if word.startswith("--strategy=")
                and "--workload=fix_size" in command
            ]
            self.assertEqual(len(set(seen)), 4)
            for place, strategy in enumerate(seen):
                places[place].add(strategy)
        for place in range(4):
            self.assertEqual(len(places[place]), 4)


class Result(BenchTest):
    def test_the_file_has_the_schema(self):
        self.run_cells("--rounds=2")
        root = self.read()
        self.assertEqual(list(root), "schema machine plan samples".split())
        self.assertEqual(root["schema"], "lfv-results/1")
        self.assertEqual(sorted(root["machine"]), sorted(MACHINE_KEYS))
        self.assertEqual(sorted(root["plan"]), sorted(PLAN_KEYS))
        self.assertEqual(root["plan"]["complete"], True)
        self.assertEqual(len(root["samples"]), 2 * root["plan"]["cells"])
        for sample in root["samples"]:
            self.assertEqual(sorted(sample), sorted(SAMPLE_KEYS))

    def test_figures_follow_from_fields(self):
        threads = f"--threads=1,{2 * CPUS}"
        self.run_cells("--rounds=1", threads, "--oversubscribe")
        cpus = self.read()["machine"]["cpus_allowed"]
        for sample in self.read()["samples"]:
            ops, seconds = sample["ops"], sample["seconds"]
            cores = min(sample["threads"], cpus)
            self.assertAlmostEqual(sample["mops"], ops / seconds / 1e6, 9)
            self.assertAlmostEqual(
                sample["ns_per_op"], seconds * 1e9 * cores / ops, 9
            )

    def test_counters_keep_their_places(self):
        self.run_cells("--rounds=1", "--threads=1")
        for sample in self.read()["samples"]:
            self.assertEqual(
                sample["price"],
                {
                    "pages_retained": 512,
                    "address_span_pages": 4096,
                    "mappings": 3,
                },
            )
            self.assertEqual(sample["latency"], {"p50_ns": 80, "count": 20000})
            self.assertEqual(sample["counters"], {"locks_waited": 17})

    def test_a_floor_stands_beside_each_number_of_threads(self):
        self.run_cells(
            *("--rounds=1", "--threads=1,2", "--workload=fix_size"),
            "--oversubscribe",
        )
        floors = self.samples(workload="floor")
        self.assertEqual(sorted(s["threads"] for s in floors), [1, 2])
        self.assertEqual({s["strategy"] for s in floors}, {None})

    def test_all_of_a_round_have_one_seed(self):
        self.run_cells("--rounds=3", "--threads=1")
        for turn in range(3):
            seeds = {s["seed"] for s in self.samples(round=turn)}
            self.assertEqual(len(seeds), 1)

    def test_a_full_stdout_is_no_success(self):
        short = "run --rounds=1 --threads=1 --workload=fix_size --quiet"
        for words in ("--help", "list", "list --json", short, short + " --json"):
            with open("/dev/full", "w") as full:
                done = subprocess.run(
                    [BENCH, *words.split()],
                    env=self.environment(),
                    stdout=full,
                    stderr=subprocess.PIPE,
                    text=True,
                )
            self.assertEqual(done.returncode, FAILED, done.stderr)
            self.assertIn("stdout could not be written", done.stderr)

    def test_json_on_stdout_is_the_file(self):
        done = self.run_cells("--rounds=1", "--threads=1", "--json")
        self.assertEqual(done.stdout.rstrip(), self.result.read_text())


class Tables(BenchTest):
    def test_a_table_has_what_varies_and_what_it_costs(self):
        done = self.run_cells(
            *("--rounds=2", "--threads=1", "--workload=fix_size"),
            *("--strategy=nodes", "--lock=qspin,fas", "--quiet"),
        )
        lines = [" ".join(l.split()) for l in done.stdout.splitlines() if l]
        self.assertEqual(lines[0], "fix_size by get_vm_area, 1 thread")
        self.assertEqual(
            lines[1],
            "held constant: lock-yield on, cache none, mapping lazy, worker "
            "none, pages 4, va-size 64G, pin compact",
        )
        self.assertEqual(
            lines[2],
            "strategy as in lock Mops/s core-ns/op spread, % retained, pages "
            "span, pages mappings valid samples",
        )
        figures = "24.00 41.67 0.0 512 4096 3 2/2"
        self.assertRegex(lines[3], rf"^nodes \S+ qspin {figures}$")
        self.assertRegex(lines[4], rf"^nodes \S+ fas {figures}$")
        self.assertEqual(lines[5], f"floor {figures}")
        self.assertEqual(len(lines), 6)
        self.assertEqual(done.stderr, "")

    def test_a_row_without_the_factor_has_a_dash(self):
        done = self.run_cells(
            *("--rounds=1", "--threads=1", "--workload=fix_size", "--quiet"),
            *("--strategy=nodes,lockfree", "--lock=qspin,fas"),
        )
        rows = [" ".join(l.split()) for l in done.stdout.splitlines()]
        self.assertRegex("\n".join(rows), r"(?m)^lockfree - - percpu 24")
        self.assertRegex("\n".join(rows), r"(?m)^nodes \S+ fas none 24")

    def test_oversubscribed_cells_have_a_table_of_their_own_at_the_end(self):
        done = self.run_cells(
            *("--rounds=1", f"--threads={CPUS + 1},1", "--oversubscribe"),
            *("--workload=fix_size", "--strategy=nodes"),
        )
        titles = [l for l in done.stdout.splitlines() if " by " in l]
        self.assertEqual(titles[0], "fix_size by get_vm_area, 1 thread")
        self.assertTrue(
            titles[1].startswith("preemption, not scaling: fix_size"), titles
        )

    def test_apis_that_are_compared_share_a_table(self):
        done = self.run_cells(
            *("--rounds=1", "--threads=1", "--workload=vs_kmalloc"),
            *("--strategy=nodes", "--quiet"),
        )
        lines = [" ".join(l.split()) for l in done.stdout.splitlines() if l]
        self.assertEqual(lines[0], "vs_kmalloc, 1 thread")
        self.assertTrue(lines[2].startswith("api strategy"), lines)
        self.assertTrue(lines[3].startswith("alloc_pages nodes"), lines)
        self.assertTrue(lines[4].startswith("vmalloc nodes"), lines)

    def test_what_is_left_out_is_told_once(self):
        words = ("--rounds=1", "--threads=1", "--workload=fix_size,remote_free")
        self.assertEqual(
            self.run_cells(*words).stderr.splitlines()[0],
            "lfv-bench: run: left out: --workload remote_free with "
            "--threads 1: a multiple of 2 is expected",
        )
        self.assertEqual(self.run_cells(*words).stderr.count("left out"), 1)
        self.assertEqual(self.run_cells(*words, "--quiet").stderr, "")

    def test_a_factor_that_acts_nowhere_is_told(self):
        words = ("--rounds=1", "--threads=1", "--workload=fix_size")
        for more, told in (
            (("--touch=page",), "--touch acts in none"),
            (("--nodes=2", "--strategy=list"), "--nodes acts in none"),
            (("--lock=fas", "--strategy=lockfree"), "--lock acts in none"),
            (("--percpu=cas", "--strategy=list"), "--percpu acts in none"),
        ):
            self.assertIn(told, self.run_cells(*words, *more).stderr)
            done = self.run_cells(*words, *more, "--api=vmalloc")
            self.assertEqual("--touch" in done.stderr, False)

    def test_the_plan_and_its_time_come_first(self):
        done = self.run_cells("--rounds=1", "--threads=1")
        self.assertRegex(
            done.stderr, r"\d+ cells, 1 round of them, about \d+ s; seed 1\n"
        )


class Progress(BenchTest):
    def on_terminal(self, *words):
        """What a run writes to a stderr that is a terminal."""
        ours, theirs = pty.openpty()
        run = subprocess.Popen(
            [BENCH, "run", *FOUR, "--rounds=2", "--threads=1", *words],
            env=self.environment(),
            stdout=subprocess.DEVNULL,
            stderr=theirs,
        )
        os.close(theirs)
        written = b""
        while True:
            try:
                piece = os.read(ours, 65536)
            except OSError:  # the other end is closed
                break
            written += piece
        os.close(ours)
        self.assertEqual(run.wait(), 0)
        return written.decode()

    def test_a_terminal_is_told_how_far_it_is(self):
        written = self.on_terminal("--workload=fix_size")
        self.assertRegex(written, r"\r\x1b\[K\[0/10\] \? left: ")
        self.assertRegex(written, r"\r\x1b\[K\[9/10\] \d+ s left: ")
        self.assertTrue(written.endswith("\r\x1b[K"))

    def test_quiet_is_quiet(self):
        self.assertEqual(self.on_terminal("--quiet"), "")


class Interrupt(BenchTest):
    def wait_for_samples(self, run):
        """Until the second sample has begun: the first is then kept."""
        count = self.folder / "count"
        while run.poll() is None:
            if count.exists() and int(count.read_text() or 0) >= 2:
                return
            time.sleep(0.01)
        self.fail("it ended before it was interrupted")

    def broken_off(self, number):
        run = subprocess.Popen(
            [BENCH, "run", "-o", str(self.result), "--rounds=50"],
            env=self.environment(FAKE="slow"),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.wait_for_samples(run)
        run.send_signal(number)
        output, messages = run.communicate(timeout=TIMEOUT_S)
        self.assertEqual(run.returncode, 128 + number, messages)
        return output

    def test_what_was_measured_is_kept(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            (self.folder / "count").unlink(missing_ok=True)
            output = self.broken_off(number)
            root = self.read()
            self.assertEqual(root["plan"]["complete"], False)
            self.assertGreater(len(root["samples"]), 0)
            self.assertLess(len(root["samples"]), 200)
            self.assertIn("Mops/s", output)


if __name__ == "__main__":
    unittest.main()
