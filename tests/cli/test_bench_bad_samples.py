#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""lfv-bench run when samples go wrong, each in its own way."""

import unittest

from bench_tool import FAILED, NOTHING, BenchTest

CELLS = (
    *("--workload=fix_size", "--threads=1", "--strategy=rbtree,augmented"),
    *("--rounds=2", "--duration=1ms", "--cell-limit=1ms", "--seed=3"),
)
SECOND = "--strategy=augmented"


class BadSamples(BenchTest):
    def run_with(self, fake, expect=FAILED, cell=SECOND):
        return self.run_cells(*CELLS, FAKE=fake, FAKE_FOR=cell, expect=expect)

    def check_failed(self, fake, words):
        """It is named and kept, is not run again, and the rest goes on."""
        done = self.run_with(fake)
        (failed,) = self.samples(strategy="augmented")
        self.assertEqual(failed["outcome"], "failed")
        self.assertEqual(failed["valid"], False)
        self.assertIn(words, failed["why_invalid"])
        self.assertIn(words, done.stderr)
        self.assertIn("strategy augmented, lock qspin", done.stderr)
        self.assertIn(f"seed {failed['seed']}", done.stderr)
        self.assertIn(f"--seed={failed['seed']}", done.stderr)
        self.assertIn("1 sample failed", done.stderr)
        self.assertIn("1 of 3 cells have no valid sample", done.stderr)
        others = self.samples(strategy="rbtree", valid=True)
        self.assertEqual(len(others), 2)
        self.assertEqual(self.read()["plan"]["complete"], True)

    def test_a_crash_is_named_by_its_signal(self):
        self.check_failed("crash", "crash: SIGSEGV")

    def test_last_words_of_a_crash_are_kept(self):
        self.check_failed("crash", "about to touch a guard page")

    def test_a_hang_is_killed_and_named(self):
        self.check_failed("hang", "hang: killed after 10.0 s")

    def test_a_wrong_answer_is_named(self):
        self.check_failed("failed", "[0x1000, 0x2000) was handed out twice")

    def test_an_exit_code_is_not_overlooked(self):
        self.check_failed("exit", "ended with 9")

    def test_what_is_no_json_is_a_failure(self):
        self.check_failed("garbage", "not JSON")

    def test_silence_is_a_failure(self):
        self.check_failed("silent", "no sample")

    def test_a_spoilt_sample_is_taken_again_and_kept(self):
        done = self.run_with("spoilt 2", expect=0)
        samples = self.samples(strategy="augmented")
        self.assertEqual(
            [s["valid"] for s in samples], [False, False, True] * 2
        )
        self.assertEqual(
            samples[0]["why_invalid"],
            "the threads overlapped for 0.50 of the window",
        )
        self.assertEqual(samples[0]["outcome"], "invalid")
        self.assertNotIn("(in parentheses", done.stdout)

    def test_a_spoilt_cell_is_given_up_after_three(self):
        done = self.run_with("invalid", expect=0)
        samples = self.samples(strategy="augmented")
        self.assertEqual([s["valid"] for s in samples], [False] * 3 * 2)
        self.assertRegex(
            done.stdout, r"augmented .* \(24\.00\) +\(41\.67\) .* 0/6\n"
        )
        self.assertRegex(done.stdout, r"rbtree .* 24\.00 +41\.67 .* 2/2\n")
        self.assertIn("the machine spoilt every sample", done.stdout)
        self.assertIn(
            "the machine spoilt 6 of 10 samples, which are in no median; the "
            "last: a thread was moved",
            done.stderr,
        )

    def test_a_sample_of_another_mode_of_the_machine_is_taken_again(self):
        # Only the second strategy tells its time.
        done = self.run_with("lines 80,410,82", expect=0)
        samples = self.samples(strategy="augmented")
        self.assertEqual([s["valid"] for s in samples], [True, False, True])
        self.assertEqual(
            [s["off_mode"] for s in samples], [False, True, False]
        )
        self.assertEqual(samples[1]["outcome"], "invalid")
        why = samples[1]["why_invalid"]
        self.assertIn("took 410 ns, the median is 82", why)
        self.assertEqual(samples[1]["counters"]["line_transfer_ns"], 410)
        self.assertRegex(done.stdout, r"augmented .* 24\.00 .* 2/3\n")
        self.assertIn(
            "took 82 ns, but 410 ns in 1 of 3 samples at 1 threads, pin",
            done.stderr,
        )
        self.assertIn(
            "cache line between CPUs, there and back: median 82 ns\n",
            done.stdout,
        )

    def test_what_seemed_usual_is_lost_and_taken_again(self):
        done = self.run_with("lines 410,80", expect=0)
        samples = self.samples(strategy="augmented")
        self.assertEqual([s["valid"] for s in samples], [False, True, True])
        self.assertEqual([s["round"] for s in samples], [0, 1, 0])
        why = samples[0]["why_invalid"]
        self.assertIn("took 410 ns, the median is 80", why)
        self.assertIn("410 ns in 1 of 3 samples", done.stderr)

    def test_a_busy_machine_is_not_asked_three_times(self):
        more = ("--rounds=12", "--strategy=rbtree,augmented,nodes")
        self.run_cells(*CELLS, *more, FAKE="invalid", expect=NOTHING)
        counts = [len(self.samples(round=turn)) for turn in range(12)]
        self.assertEqual(counts[:2], [12, 12])
        self.assertEqual(counts[3:], [4] * 9)

    def test_nothing_but_spoilt_samples_is_no_measurement(self):
        done = self.run_with("invalid", expect=NOTHING, cell="")
        self.assertIn("nothing could be measured", done.stderr)

    def test_too_slow_is_an_answer(self):
        done = self.run_with("too-slow", expect=0)
        (sample,) = self.samples(strategy="augmented")
        self.assertEqual(sample["outcome"], "too slow")
        self.assertEqual(
            sample["why_invalid"], "4096 of 100000 areas after 10 s"
        )
        self.assertIsNotNone(sample["price"])
        self.assertIn("4096 of 100000 areas", done.stderr)
        self.assertRegex(done.stdout, r"augmented .* too slow .* 0/1\n")


if __name__ == "__main__":
    unittest.main()
