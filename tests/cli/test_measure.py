#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""scripts/measure takes each set once, whole, and goes on where it stopped."""

import json
import os
import subprocess
import sys
import unittest

from bench_tool import BENCH, FAILED, HERE, TIMEOUT_S, USAGE, BenchTest

MEASURE = HERE.parent.parent / "scripts" / "measure"
sys.path.insert(0, str(MEASURE.parent))
sys.dont_write_bytecode = True

import measure_sets  # noqa: E402

PYTHON = "/usr/bin/python3"
HAS_MATPLOTLIB = os.access(PYTHON, os.X_OK) and not subprocess.call(
    [PYTHON, "-c", "import matplotlib"], stderr=subprocess.DEVNULL
)
SETS = (
    "strategies latency cache options locks nodes peers generations purge"
    " vmalloc growth replay"
).split()


class Measure(BenchTest):
    """With the fake, which answers at once."""

    def measure(self, *words, expect=0, **more):
        command = [sys.executable, "-B", str(MEASURE), *words]
        done = subprocess.run(
            command,
            env=self.environment(**more),
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
        )
        self.assertEqual(done.returncode, expect, done.stderr)
        return done

    def take(self, name, *words, **more):
        place = ("--bench", BENCH, "-o", str(self.folder))
        return self.measure(*place, "--quick", "--only", name, *words, **more)

    def document(self, name):
        self.assertEqual(list(self.folder.glob("*.tmp")), [])
        return json.loads((self.folder / f"{name}.json").read_text())

    def change(self, name, change):
        document = self.document(name)
        change(document)
        (self.folder / f"{name}.json").write_text(json.dumps(document))

    def engine(self, name):
        samples = self.document(name)["samples"]
        return [s for s in samples if s["strategy"] is not None]

    def test_the_sets_are_listed(self):
        lines = self.measure("--list").stdout.splitlines()
        self.assertEqual([line.split()[0] for line in lines], SETS)

    def test_an_unknown_set_is_refused_and_the_known_ones_named(self):
        done = self.measure("--only", "lock", expect=USAGE)
        self.assertIn("locks, nodes", done.stderr)

    def test_a_set_is_one_file_of_all_its_parts(self):
        self.take("peers")
        document = self.document("peers")
        self.assertEqual(document["schema"], "lfv-results/1")
        self.assertEqual(document["plan"]["complete"], True)
        self.assertEqual(len(document["plan"]["commands"]), 2)
        found = {s["workload"] for s in self.engine("peers")}
        self.assertTrue({"fix_size", "long_busy_list"} <= found)
        for sample in self.engine("peers"):
            self.assertEqual(sample["worker"], "none")
            self.assertEqual(sample["cpus"], 2)

    def rows(self, name, *fields):
        return {tuple(s[f] for f in fields) for s in self.engine(name)}

    @unittest.skipUnless(HAS_MATPLOTLIB, "matplotlib is missing")
    def test_the_comparison_is_drawn(self):
        self.take("strategies")
        drawn = (self.folder / "compare.svg").read_text()
        self.assertIn("nodes", drawn)
        self.assertIn("lockfree, keep", drawn)
        self.assertTrue((self.folder / "compare.png").exists())

    def test_strategies_are_those_that_are_compared_by_default(self):
        self.take("strategies")
        words = ("run", "--dry-run", "--quiet", "--workload=fix_size")
        lines = self.bench(*words, "--threads=1").stdout.splitlines()
        usual = {
            tuple(
                word.partition("=")[2]
                for word in line.split()
                if word.startswith(("--strategy=", "--mapping="))
            )
            for line in lines
            if "--workload=fix_size" in line
        }
        self.assertEqual(self.rows("strategies", "strategy", "mapping"), usual)
        found = self.rows("strategies", "workload", "live")
        self.assertIn(("long_busy_list", 1000), found)

    def test_cache_is_a_product_of_index_and_cache(self):
        self.take("cache")
        names = {name for name, _ in self.rows("cache", "strategy", "cache")}
        self.assertLessEqual({"augmented", "nodes", "lockfree"}, names)
        self.assertEqual(
            self.rows("cache", "strategy", "cache", "mapping"),
            {(n, c, "strict") for n in names for c in ("none", "percpu")},
        )

    def test_options_are_of_one_strategy(self):
        if "left out" in self.take("options").stderr:
            self.skipTest("restartable sequences do not work here")
        self.assertEqual(
            self.rows("options", "mapping", "hardened", "percpu"),
            {
                ("keep", False, "rseq"),
                ("keep", True, "rseq"),
                ("keep", False, "cas"),
            },
        )

    def test_what_this_lfv_bench_does_not_have_is_left_out(self):
        sets = measure_sets.make_sets(True, {"list", "nodes"})
        words = [w for s in sets for part in s.parts for w in part]
        for name in ("strategies", "vmalloc", "growth", "purge", "replay"):
            (one,) = [s for s in sets if s.name == name]
            for part in one.parts:
                self.assertNotIn("lockfree", " ".join(part))
        self.assertIn("--strategy=list,nodes", words)

    def test_nodes_has_as_many_cpus_as_nodes(self):
        self.take("nodes")
        pairs = {(s["nodes"], s["cpus"]) for s in self.engine("nodes")}
        self.assertEqual(pairs, {(2, 2), (64, 64)})

    def test_purge_has_every_mapping_and_flush(self):
        self.take("purge")
        found = {(s["mapping"], s["flush"]) for s in self.engine("purge")}
        both = {(m, f) for m in ("lazy", "strict") for f in ("remap", "guard")}
        self.assertEqual(found, both)

    def test_generations_has_the_variants(self):
        self.take("generations")
        found = {s["strategy"] for s in self.engine("generations")}
        self.assertLessEqual({"list-2.6.24", "augmented-5.10"}, found)

    def test_a_complete_set_is_not_taken_again(self):
        self.take("growth")
        before = (self.folder / "growth.json").stat().st_mtime_ns
        self.assertIn("growth: complete", self.take("growth").stderr)
        after = (self.folder / "growth.json").stat().st_mtime_ns
        self.assertEqual(before, after)

    def test_a_broken_off_set_goes_on_where_it_was(self):
        self.take("peers")
        whole = self.document("peers")["samples"]

        def break_off(document):
            taken = [s for s in whole if s["workload"] == "fix_size"]
            document["samples"] = taken
            document["plan"].update(parts_taken=1, complete=False)

        self.change("peers", break_off)
        done = self.take("peers")
        self.assertIn("part 2 of 2", done.stderr)
        self.assertNotIn("part 1 of 2", done.stderr)
        document = self.document("peers")
        self.assertEqual(document["plan"]["complete"], True)
        names = {s["workload"] for s in document["samples"]}
        self.assertEqual(names, {"fix_size", "long_busy_list", "floor"})

    def test_a_set_of_another_plan_is_taken_anew(self):
        self.take("growth")
        self.change("growth", lambda d: d["plan"].update(rounds=99))
        self.assertIn("taken anew", self.take("growth").stderr)
        self.assertEqual(self.document("growth")["plan"]["rounds"], 1)

    def test_samples_of_two_machines_are_never_mixed(self):
        self.take("peers")

        def move(document):
            document["machine"]["cpu_model"] = "another"
            document["plan"].update(parts_taken=1, complete=False)

        self.change("peers", move)
        done = self.take("peers", expect=1)
        self.assertIn("another machine", done.stderr)

    def test_a_failed_sample_is_kept_and_fails_the_measurement(self):
        done = self.take(
            "growth",
            expect=FAILED,
            FAKE="failed",
            FAKE_FOR="--strategy=augmented",
        )
        self.assertIn("handed out twice", done.stderr)
        outcomes = {
            s["strategy"]: s["outcome"] for s in self.engine("growth")
        }
        self.assertEqual(outcomes["augmented"], "failed")
        self.assertEqual(outcomes["nodes"], "measured")

    def test_recordings_are_replayed_on_all_strategies(self):
        self.take("replay")
        samples = self.engine("replay")
        recordings = {s["workload"] for s in samples}
        self.assertEqual(len(recordings), 2)
        rows = self.rows("replay", "strategy", "mapping")
        self.assertGreaterEqual(len(rows), 9)
        self.assertLessEqual({("lockfree", "lazy"), ("lockfree", "keep")}, rows)
        self.assertEqual(len(samples), len(recordings) * len(rows))


if __name__ == "__main__":
    unittest.main()
