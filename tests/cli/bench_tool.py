# SPDX-License-Identifier: MIT
"""bench_tool.py - runs lfv-bench for the tests of the command line.

LFV_BENCH names the binary under test.
"""

import json
import os
import pathlib
import subprocess
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
FAKE = HERE / "fake_gbench.py"
BENCH = os.environ["LFV_BENCH"]
TIMEOUT_S = 200

OK, USAGE, FAILED, NOTHING = 0, 2, 3, 5
# Nothing failed; whether a sample was valid is the machine's affair.
RIGHT = (OK, NOTHING)


def strategies():
    """The names that this build has."""
    done = subprocess.run(
        [BENCH, "list", "strategies", "--json"],
        capture_output=True,
        check=True,
        timeout=TIMEOUT_S,
    )
    return [row["name"] for row in json.loads(done.stdout)["strategies"]]


class BenchTest(unittest.TestCase):
    """Each test has a folder of its own and, unless told, the fake."""

    gbench = str(FAKE)

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="lfv-bench-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.result = self.folder / "r.json"

    def environment(self, **more):
        known = {k: v for k, v in os.environ.items() if k != "LFV_GBENCH"}
        if self.gbench:
            known["LFV_GBENCH"] = self.gbench
        return {**known, "FAKE_COUNT": str(self.folder / "count"), **more}

    def bench(self, *words, expect=OK, **more):
        """Runs it once; `expect` is an exit code, or a tuple of several."""
        done = subprocess.run(
            [BENCH, *map(str, words)],
            env=self.environment(**more),
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
        )
        self.assertIn(
            done.returncode,
            expect if isinstance(expect, tuple) else (expect,),
            f"{words}\n{done.stdout}{done.stderr}",
        )
        return done

    def run_cells(self, *words, **more):
        return self.bench("run", "-o", self.result, *words, **more)

    def read(self):
        """The result file, whole, and nothing beside it."""
        self.assertEqual(list(self.folder.glob("*.tmp")), [])
        return json.loads(self.result.read_text())

    def samples(self, **fields):
        return [
            sample
            for sample in self.read()["samples"]
            if all(sample[key] == value for key, value in fields.items())
        ]
