#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""scripts/analysis/tables.py: medians, tables, and what stands in a text."""

import contextlib
import io
import json
import os
import pathlib
import platform
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "scripts" / "analysis"))
sys.dont_write_bytecode = True

import published  # noqa: E402
import table_data  # noqa: E402
import tables  # noqa: E402

LINUX = {
    "list": "2.4.0",
    "list-2.6.24": "2.6.24",
    "rbtree-2.6.28": "2.6.28",
    "rbtree": "4.19",
    "augmented-5.10": "5.10",
    "augmented": "6.1",
    "nodes": "6.12",
}


def sample(ns, **changes):
    """A valid sample at one thread of so many core-ns an operation."""
    fields = {
        "strategy": "augmented",
        "variant": "6.1",
        "lock": "qspin",
        "workload": "fix_size",
        "api": "get_vm_area",
        "pages": "1",
        "threads": 1,
        "outcome": "measured",
        "valid": True,
        "mops": 1000 / ns if ns else None,
        "ns_per_op": ns,
        "price": {"pages_retained": 0, "address_span_pages": 5},
        "counters": {},
    }
    return {**fields, **changes}


def bad(outcome, **changes):
    return sample(None, **{"outcome": outcome, "valid": False, **changes})


def floor(ns, **changes):
    fields = {"strategy": None, "lock": None, "workload": "floor"}
    return sample(ns, **{**fields, **changes})


def group(*samples):
    return table_data.Group(samples)


def timed(ns, line_ns, **changes):
    """At two threads, where a cache line took so long; 0: not known."""
    counters = {"line_transfer_ns": line_ns} if line_ns else {}
    more = {"threads": 2, "pin": "compact", "counters": counters}
    return sample(ns, **{**more, **changes})


class FolderTest(unittest.TestCase):
    """A folder of results, and a text beside it."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="lfv-tables-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.results = self.folder / "results" / "host-1"
        self.results.mkdir(parents=True)
        self.text = self.folder / "README.md"

    def leave(self, name, *samples, complete=True):
        document = {
            "schema": "lfv-results/1",
            "machine": {
                "cpu_model": "Abacus",
                "cpus_allowed": 2,
                "kernel": "Linux",
                "build_type": "RelWithDebInfo",
                "commit": "0123456789ab",
            },
            "plan": {"complete": complete},
            "samples": samples,
        }
        path = self.results / f"{name}.json"
        path.write_text(json.dumps(document), encoding="utf-8")

    def run_tool(self, *arguments, expect=0):
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = tables.main([str(a) for a in arguments])
        self.assertEqual(code, expect, err.getvalue())
        return out.getvalue(), err.getvalue()

    def table(self, name):
        return self.run_tool(self.results, "--table", name)[0]

    def row(self, text, *starts):
        """The cells of the one row that begins with these."""
        begin = "| " + " | ".join(starts) + " |"
        rows = [x for x in text.splitlines() if x.startswith(begin)]
        self.assertEqual(len(rows), 1, f"{begin}\n{text}")
        return [cell.strip() for cell in rows[0].split("|")[1:-1]]


class Figures(unittest.TestCase):
    def test_a_figure_is_the_median_with_half_the_quartiles_distance(self):
        cells = group(*[sample(ns) for ns in (100, 120, 300, 140, 110)])
        # Quartiles 110 and 140 about 120: half their distance is 12.5 %.
        self.assertEqual(cells.spread("ns_per_op"), "120 ±12")

    def test_useless_samples_are_in_no_median(self):
        cells = group(sample(100), bad("invalid"), bad("failed"))
        self.assertEqual(cells.text("ns_per_op"), "100")
        self.assertEqual(cells.count(), "1/3")

    def test_one_sample_has_no_spread(self):
        self.assertEqual(group(sample(100)).spread("ns_per_op"), "100")

    def test_a_cell_without_figure_says_why_the_worst_first(self):
        for worst, *others in (
            ("failed", "too slow", "invalid"),
            ("too slow", "invalid"),
            ("invalid",),
        ):
            cells = group(*[bad(o) for o in (*others, worst)])
            self.assertEqual(cells.speed(), worst)

    def test_a_cell_that_was_spoilt_whole_stands_in_parentheses(self):
        spoilt = bad("invalid", ns_per_op=300, mops=2)
        cells = group(spoilt, bad("invalid", ns_per_op=100, mops=4))
        self.assertEqual(cells.text("ns_per_op"), "(200)")
        self.assertEqual(cells.speed(), "(3)")
        self.assertIsNone(cells.median("ns_per_op"))
        self.assertEqual(group(spoilt, sample(9)).text("ns_per_op"), "9")
        cells = group(spoilt, bad("failed"))
        self.assertEqual(cells.text("ns_per_op"), "failed")

    def test_numbers_have_three_digits_and_no_exponent(self):
        for value, text in (
            (0.000421, "0.000421"),
            (0.0421, "0.0421"),
            (3.2749, "3.27"),
            (78.54, "78.5"),
            (23879.4, "23,879"),
            (4.0, "4"),
            (0, "0"),
        ):
            self.assertEqual(table_data.number(value), text)


class Tables(FolderTest):
    def purge_row(self, flush, **calls):
        counters = {"ops_all": 64, "map_calls": 64, "unmapped_pages": 128}
        counters["tlb_shootdowns_per_op"] = 0.25
        axes = {"workload": "purge_storm", "mapping": "lazy", "flush": flush}
        counters.update(calls)
        self.leave("purge", sample(900, counters=counters, **axes))
        return self.row(self.table("purge"), "purge_storm")[4:8]

    def test_compare_shows_speed_by_threads_and_the_price(self):
        price = {"pages_retained": 7, "address_span_pages": 9}
        self.leave(
            "locks",
            sample(100),
            sample(400, threads=2, price=price),
            sample(1, lock="fas"),
            floor(4),
        )
        text = self.table("compare")
        self.assertEqual(
            self.row(text, "`augmented`"),
            "`augmented`|6.1|10|100 (25)|2.50|400|7|9|2/2".split("|"),
        )
        self.assertEqual(self.row(text, "floor")[2:4], ["250", "4"])

    def test_compare_has_a_row_for_each_mapping_and_what_has_no_lock(self):
        axes = {"strategy": "lockfree", "variant": "lockfree", "lock": None}
        self.leave(
            "strategies",
            sample(100, live=7),
            sample(20, mapping="keep", live=7, **axes),
            sample(40, mapping="lazy", live=7, **axes),
            floor(4),
        )
        self.leave("locks", sample(200))
        text = self.table("compare")
        self.assertIn("**fix_size**, 7 live areas a thread, lock qspin", text)
        self.assertEqual(
            self.row(text, "`lockfree`, keep")[1:4], ["–", "50", "20 (5)"]
        )
        self.assertEqual(self.row(text, "`lockfree`, lazy")[3], "40 (10)")
        self.assertEqual(self.row(text, "`augmented`")[3], "100 (25)")
        self.assertIn("What has no lock", text)

    def test_latency_shows_single_operations_beside_the_floors(self):
        times = {"p50_ns": 80, "p99_ns": 900, "p999_ns": 2000, "max_ns": 9000}
        self.leave(
            "latency",
            sample(100, latency=times),
            sample(100, latency={**times, "p999_ns": 4000}),
            floor(4, latency={"p50_ns": 30}),
        )
        text = self.table("latency")
        self.assertEqual(
            self.row(text, "fix_size", "`augmented`")[2:],
            ["80", "900", "3,000", "9,000", "2/2"],
        )
        self.assertEqual(self.row(text, "fix_size", "floor")[2:4], ["30", "–"])

    def test_cache_tells_the_index_from_the_cache(self):
        free = {"strategy": "lockfree", "variant": "lockfree", "lock": None}
        self.leave(
            "cache",
            sample(100, cache="none"),
            sample(20, cache="percpu"),
            sample(60, cache="none", **free),
            bad("invalid", cache="percpu", ns_per_op=12, mops=1, **free),
            floor(4),
        )
        text = self.table("cache")
        for cells in (
            ("`augmented`", "6.1", "none", "100 (25)"),
            ("`augmented`", "6.1", "percpu", "20 (5)"),
            ("`augmented`", "6.1", "none ÷ percpu", "5"),
            ("`lockfree`", "–", "none", "60 (15)"),
            ("`lockfree`", "–", "percpu", "(12)"),
            ("`lockfree`", "–", "none ÷ percpu", "–"),
        ):
            self.assertEqual(self.row(text, *cells[:3]), list(cells))

    def test_options_stand_below_what_is_usual(self):
        axes = {"strategy": "lockfree", "variant": "lockfree", "lock": None}
        forms = ((10, False, "rseq"), (16, True, "rseq"), (14, False, "cas"))
        self.leave(
            "options",
            *[sample(n, hardened=h, percpu=p, **axes) for n, h, p in forms],
        )
        rows = [x for x in self.table("options").splitlines() if "`lock" in x]
        self.assertEqual(
            [[cell.strip() for cell in x.split("|")[2:4]] for x in rows],
            [["–", "10"], ["hardened", "16"], ["percpu cas", "14"]],
        )

    def test_compare_is_content_with_the_file_of_the_comparison(self):
        self.leave("compare", sample(100))
        self.assertIn("**fix_size**, lock qspin", self.table("compare"))

    def test_locks_stand_side_by_side(self):
        self.leave("locks", sample(100), sample(200, lock="fas"), floor(4))
        text = self.table("locks")
        self.assertEqual(
            self.row(text, "fix_size"),
            ["fix_size", "`augmented`", "10 (100)", "5 (200)", "250 (4)"],
        )

    def test_peers_are_multiples_of_the_floor_with_as_many_threads(self):
        two = {"threads": 2, "workload": "replace"}
        self.leave(
            "nodes",
            sample(100, nodes=2),
            sample(300, nodes=2, **two),
            floor(4),
            floor(6, threads=2, workload="floor_replace"),
            floor(1, threads=2),
        )
        times = self.table("peers").split("In multiples")[1]
        row = self.row(times, "`augmented`, 2 nodes")
        self.assertEqual(row[3:], ["25", "50"])

    def test_purge_shows_counts_a_free(self):
        # 64 areas mapped and guarded, 8 calls to unmap them.
        remap = self.purge_row("remap", unmap_calls=8, guard_calls=64)
        self.assertEqual(remap, ["0.125", "16", "0.250", "2.12"])

    def test_purge_tells_guards_placed_from_guards_that_flush(self):
        guard = self.purge_row("guard", unmap_calls=0, guard_calls=64 + 2)
        self.assertEqual(guard, ["0.0312", "64", "0.250", "2.03"])

    def test_purge_without_guard_markers_counts_its_remaps(self):
        gap = self.purge_row("remap", unmap_calls=8, guard_calls=0)
        self.assertEqual(gap, ["0.125", "16", "0.250", "1.12"])

    def test_vmalloc_tells_touched_from_untouched(self):
        for_all = {"api": "vmalloc", "touch": "none"}
        touched = sample(800, **{**for_all, "touch": "page"})
        self.leave("vmalloc", sample(100, **for_all), touched)
        untouched, written = self.table("vmalloc").split("written to")
        self.assertEqual(self.row(untouched, "1", "`augmented`")[3], "100")
        self.assertEqual(self.row(written, "1", "`augmented`")[3], "800")

    def test_growth_is_the_ratio_of_the_ends(self):
        lives = {100: 200, 1000: 500, 10000: 900}
        self.leave("growth", *[sample(n, live=k) for k, n in lives.items()])
        row = self.row(self.table("growth"), "`augmented`")
        self.assertEqual(row[1:], ["200", "500", "900", "4.5"])

    def test_growth_names_the_sets_that_were_not_aged(self):
        old = sample(100, live=10, counters={"aged_replacements": 16})
        self.leave("growth", old)
        self.assertIn("replaced once over.", self.table("growth"))
        young = sample(200, live=50, counters={"aged_replacements": 16})
        self.leave("growth", old, young)
        self.assertIn("`augmented` 32 % of 50.", self.table("growth"))

    def test_replay_shows_a_wrong_answer(self):
        axes = {"workload": "replay:x.trace", "variant": "4.19"}
        counters = {"failed": 0, "overlaps": 3, "span_pages_max": 512}
        wrong = bad("failed", strategy="rbtree", counters=counters, **axes)
        self.leave("replay", wrong, sample(50, counters=counters, **axes))
        text = self.table("replay")
        self.assertEqual(self.row(text, "`rbtree`")[2], "failed")
        row = self.row(text, "`augmented`")
        self.assertEqual(row[2:6], ["right", "0", "3", "2.0"])

    def test_useless_and_missing_samples_are_told_below(self):
        self.leave("growth", sample(1, live=1), bad("invalid", live=1))
        text = self.table("growth")
        self.assertIn("2 samples: 1 valid, 1 invalid", text)
        self.assertNotIn("Broken off", text)
        self.leave("growth", sample(1, live=1), complete=False)
        self.assertIn("Broken off", self.table("growth"))

    def test_what_is_held_constant_is_told_what_varies_is_not(self):
        self.leave("locks", sample(1, mapping="lazy"), sample(2, lock="fas"))
        text = self.table("locks")
        self.assertIn("locks: api get_vm_area.", text)

    def test_another_schema_is_refused(self):
        (self.results / "growth.json").write_text('{"schema": "x"}')
        _, err = self.run_tool(self.results, "--table", "growth", expect=1)
        self.assertIn("lfv-results/1", err)

    def test_without_a_name_all_that_can_be_made_is_printed(self):
        self.leave("growth", sample(1, live=1))
        out, err = self.run_tool(self.results)
        self.assertIn("## growth", out)
        self.assertIn("purge.json", err)


class LineModes(FolderTest):
    """Samples of another mode of the machine are in no median."""

    def judged(self, *samples):
        table_data.judge_line_modes(samples)
        return "".join("v" if s["valid"] else "-" for s in samples)

    def lines(self, *times):
        return self.judged(*[timed(100, ns) for ns in times])

    def test_of_two_modes_the_longer_counts(self):
        self.assertEqual(self.lines(80, 410, 82, 400, 79), "v-v-v")

    def test_samples_of_one_mode_are_all_valid(self):
        self.assertEqual(self.lines(80, 95, 110, 120, 75), "vvvvv")

    def test_what_is_not_known_is_not_judged_and_does_not_count(self):
        self.assertEqual(self.lines(0, 0, 0, 410, 400, 80), "vvvvv-")

    def test_of_few_samples_one_mode_stays(self):
        self.assertEqual(self.lines(410, 80), "-v")
        self.assertEqual(self.lines(410), "v")

    def test_the_reason_names_both_figures(self):
        slow = timed(900, 410)
        self.judged(timed(1, 80), slow, timed(1, 82))
        self.assertEqual(slow["outcome"], "invalid")
        self.assertIn("took 410 ns, the median is 82", slow["why_invalid"])

    def test_other_threads_and_pins_are_judged_by_themselves(self):
        others = timed(9, 410, threads=4), timed(9, 410, pin="scatter")
        self.assertEqual(self.judged(timed(9, 80), *others), "vvv")

    def test_what_one_run_found_apart_may_be_usual_in_the_set(self):
        lost = {"outcome": "invalid", "valid": False, "off_mode": True}
        runs = timed(9, 80), timed(9, 410, **lost), timed(9, 400), timed(9, 420)
        self.assertEqual(self.judged(*runs), "-vvv")
        self.assertIsNone(runs[1]["why_invalid"])

    def test_what_else_spoilt_a_sample_stays(self):
        moved = timed(9, 80, valid=False, outcome="invalid")
        self.assertEqual(self.judged(timed(9, 80), moved), "v-")

    def test_a_set_is_judged_when_it_is_read(self):
        axes = {"workload": "fix_size"}
        modes = [timed(ns, ns, **axes) for ns in (100, 102, 101, 500, 510)]
        self.leave("locks", *modes)
        text = self.table("locks")
        row = self.row(text, "fix_size")
        self.assertIn("(101)", " ".join(row))
        self.assertIn("5 samples: 3 valid, 2 invalid", text)
        self.assertIn("median 102 ns (2 threads, pin compact).", text)


class Generations(FolderTest):
    """The rule by which a published ratio agrees with ours."""

    def verdicts(self, *samples):
        rows = published.rows(group(*samples))
        at = published.HEADERS.index
        return {
            (row[at("change")][:3], row[at("threads there")]): (
                row[at("ratio here, old/new")],
                row[at("agrees?")],
            )
            for row in rows
        }

    def pair(self, old, new):
        """The 1-page pair at 2 threads, where 2.48 was published."""
        axes = {"threads": 2, "workload": "fix_size"}
        return self.verdicts(
            sample(old, **axes), sample(new, strategy="nodes", **axes)
        )["6.9", "2"]

    def test_within_twice_and_the_same_direction_agrees(self):
        self.assertEqual(self.pair(200, 100), ("2", "yes"))
        self.assertEqual(self.pair(480, 100), ("4.8", "yes"))
        self.assertEqual(self.pair(126, 100), ("1.26", "yes"))

    def test_more_than_twice_apart_does_not(self):
        self.assertIn("times apart", self.pair(520, 100)[1])
        self.assertIn("times apart", self.pair(110, 100)[1])

    def test_the_other_direction_does_not(self):
        self.assertEqual(self.pair(90, 100)[1], "no: other direction")

    def test_what_this_machine_has_no_cpus_for_is_not_compared(self):
        axes = {"threads": 2, "workload": "fix_size"}
        found = self.verdicts(
            sample(200, **axes), sample(100, strategy="nodes", **axes)
        )
        self.assertEqual(found["6.9", "64"][1], "not comparable: 64 threads")
        words = "not comparable: 32 threads"
        self.assertEqual(found["6.9", "32"], ("2", words))

    def test_what_the_tree_has_not_has_no_row(self):
        found = self.verdicts(sample(100))
        self.assertIn("no row: 5.2's single lock", found["5.5", "8"][1])

    def test_a_missing_figure_is_named(self):
        found = self.verdicts(
            sample(100), bad("too slow", strategy="nodes", workload="fix_size")
        )
        words = "no figure: nodes fix_size too slow"
        self.assertEqual(found["6.9", "1"], ("–", words))

    def test_a_mask_is_the_sum_of_its_tests(self):
        samples = []
        for place, test in enumerate(published.ALL_TESTS):
            old = sample(100 * (place + 1), strategy="rbtree", workload=test)
            new = sample(100, strategy="augmented-5.10", workload=test)
            samples += [old, new]
        rows = published.rows(group(*samples))
        (row,) = [r for r in rows if "performance" in r[1]]
        self.assertEqual(row[-2:], ["3.5", "yes"])

    def test_the_table_holds_every_form(self):
        self.leave(
            "generations",
            *[sample(9, strategy=s, variant=v) for s, v in LINUX.items()],
        )
        text = self.table("generations")
        row = self.row(text, "fix_size of 1 page")
        self.assertEqual(row[1:], ["get_vm_area", "1"] + 7 * ["9"])


BEGIN, END = "<!-- table growth: begin -->\n", "<!-- table growth: end -->"


class Into(FolderTest):
    def setUp(self):
        super().setUp()
        self.leave("growth", sample(100, live=10), sample(200, live=20))
        self.text.write_text(f"# Above\n\n{BEGIN}{END}\n\nBelow\n")

    def put(self):
        self.run_tool(self.results, "--into", self.text)
        return self.text.read_text()

    def check_text(self, *folder, expect=0):
        return self.run_tool(*folder, "--check", self.text, expect=expect)[1]

    def test_a_table_comes_between_its_markers_and_nothing_else_changes(self):
        text = self.put()
        self.assertTrue(text.startswith(f"# Above\n\n{BEGIN}<!-- from "))
        self.assertTrue(text.endswith(f"\n{END}\n\nBelow\n"))
        self.assertIn("| `augmented` | 100 | 200 | 2 |", text)
        self.assertEqual(list(self.folder.glob("*.tmp")), [])

    def test_again_gives_the_same(self):
        self.assertEqual(self.put(), self.put())

    def test_the_table_names_its_folder_as_seen_from_the_text(self):
        self.assertIn("<!-- from results/host-1 -->", self.put())

    def test_the_mode_of_the_text_stays(self):
        self.text.chmod(0o604)
        self.put()
        self.assertEqual(self.text.stat().st_mode & 0o777, 0o604)

    def test_what_has_no_results_stays_as_it_is(self):
        lines = "<!-- table purge: begin -->\nold\n<!-- table purge: end -->\n"
        self.text.write_text(lines)
        self.assertEqual(self.put(), lines)

    def test_check_is_content_with_what_into_wrote(self):
        self.put()
        self.assertEqual(self.check_text(), "")
        self.assertEqual(self.check_text(self.results), "")

    def test_check_finds_a_figure_that_was_edited(self):
        self.text.write_text(self.put().replace("| 2 |", "| 9 |"))
        self.assertIn("table growth: differs", self.check_text(expect=1))

    def test_check_finds_results_that_changed_or_are_gone(self):
        self.put()
        self.leave("growth", sample(100, live=10), sample(201, live=20))
        self.assertIn("table growth: differs", self.check_text(expect=1))
        (self.results / "growth.json").unlink()
        self.assertIn("growth.json", self.check_text(expect=1))

    def test_check_finds_a_table_made_by_hand(self):
        self.text.write_text(f"{BEGIN}| 1 |\n{END}\n")
        self.assertIn("not made by", self.check_text(expect=1))

    def test_an_empty_table_may_wait_for_its_results(self):
        self.assertEqual(self.check_text(), "")

    @unittest.skipUnless(shutil.which("git"), "git is missing")
    def test_an_empty_table_may_not_wait_when_results_are_kept(self):
        for words in ("init", "add results"):
            command = ["git", "-C", str(self.folder), *words.split()]
            subprocess.run(command, check=True, capture_output=True)
        self.assertIn("growth: is empty", self.check_text(expect=1))
        self.put()
        self.assertEqual(self.check_text(), "")

    @unittest.skipUnless(shutil.which("git"), "git is missing")
    def test_an_empty_table_may_wait_when_other_results_are_kept(self):
        os.rename(self.results / "growth.json", self.results / "locks.json")
        for words in ("init", "add results"):
            command = ["git", "-C", str(self.folder), *words.split()]
            subprocess.run(command, check=True, capture_output=True)
        self.assertEqual(self.check_text(), "")

    def test_check_finds_a_picture_that_is_not_there(self):
        self.text.write_text("![A](results/host-1/a.png) ![B](https://b/b.png)")
        words = "no picture results/host-1/a.png"
        self.assertIn(words, self.check_text(expect=1))
        (self.results / "a.png").touch()
        self.assertEqual(self.check_text(), "")

    def test_into_turns_pictures_to_the_folder_that_has_them(self):
        (self.results / "a.png").touch()
        self.text.write_text("![A](results/old/a.png) ![B](results/old/b.png)")
        want = "![A](results/host-1/a.png) ![B](results/old/b.png)"
        self.assertEqual(self.put(), want)

    def test_markers_that_do_not_fit_change_nothing(self):
        for text, words in (
            (BEGIN, "not in pairs"),
            (END + "\n", "not in pairs"),
            (f"{BEGIN}{BEGIN}{END}\n{END}\n", "not in pairs"),
            (f"{BEGIN}{END}\n".replace("growth", "size"), "is none of"),
        ):
            self.text.write_text(text)
            arguments = (self.results, "--into", self.text)
            self.assertIn(words, self.run_tool(*arguments, expect=2)[1])
            self.assertEqual(self.text.read_text(), text)


class UsualFolder(FolderTest):
    """Which folder is meant where none is named."""

    def setUp(self):
        super().setUp()
        self.root = self.folder / "results"
        self.results.rmdir()

    def take(self, name, when=1, **more):
        self.results = self.root / name
        self.results.mkdir()
        for one in tables.SETS:
            self.leave(one, sample(1), **more)
            os.utime(self.results / f"{one}.json", (when, when))
        return self.results

    def ours(self, commit, *arguments, **more):
        return self.take(f"{platform.node()}-{commit}", *arguments, **more)

    def test_it_is_the_newest_complete_one_of_this_host(self):
        self.ours("a", 1)
        newest = self.ours("b", 3)
        self.ours("c", 2)
        self.take("other-d", 5)
        self.ours("e", 6, complete=False)
        (self.ours("f", 7) / "growth.json").unlink()
        self.assertEqual(tables.usual_folder(self.root), newest)

    def test_it_is_the_only_one_of_another_host(self):
        only = self.take("other-a")
        self.take("quick-other-a")
        self.assertEqual(tables.usual_folder(self.root), only)

    def test_of_several_of_other_hosts_none_is_chosen(self):
        self.take("other-a")
        self.take("other-b")
        with self.assertRaisesRegex(tables.NoFolder, "other-a, other-b"):
            tables.usual_folder(self.root)

    def test_where_there_is_none_the_command_is_named(self):
        with self.assertRaisesRegex(tables.NoFolder, "scripts/measure"):
            tables.usual_folder(self.root)

    def test_the_sets_are_those_of_measure(self):
        command = [sys.executable, str(ROOT / "scripts" / "measure"), "--list"]
        listed = subprocess.check_output(command, text=True)
        names = [line.split()[0] for line in listed.splitlines()]
        self.assertEqual(tables.SETS, names)


class Committed(unittest.TestCase):
    def test_the_tables_of_the_readme_are_those_of_the_kept_results(self):
        readme = ROOT / "README.md"
        has_table = tables.SOURCE.search(readme.read_text(encoding="utf-8"))
        if not has_table and not tables.committed(ROOT / "results"):
            self.skipTest("no results are kept yet")
        self.assertEqual(tables.main(["--check", str(readme)]), 0)


if __name__ == "__main__":
    unittest.main()
