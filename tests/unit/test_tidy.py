#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Each rule of scripts/tidy.py sees its bad sample, and only that rule does."""

import pathlib
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "scripts"))
sys.dont_write_bytecode = True

import edges  # noqa: E402
import tidy  # noqa: E402

LICENCE = "/* SPDX-License-Identifier: MIT */\n"
FUNCTION = "int x(void)\n{\n\treturn 0;\n}\n"


class TidyTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.root = pathlib.Path(self.folder.name)

    def write(self, path, text, licence=LICENCE):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(licence + text, encoding="utf-8")

    def rules(self):
        return [c.rule for c in tidy.check(self.root)]

    def source(self, text, path="engine/va/x.c"):
        self.write(path, text)
        self.write("tests/unit/test_x.c", FUNCTION)
        return self.rules()

    def test_good_sample_passes(self):
        good = (
            '#include "va/va.h"\n#include "base/atomic.h"\n\n'
            "static const int table[] = { 1, 2 };\n\n" + FUNCTION
        )
        self.assertEqual(self.source(good), [])

    def test_long_file(self):
        self.assertEqual(self.source("\n" * 500), ["file"])

    def test_file_of_500_lines_passes(self):
        self.assertEqual(self.source("\n" * 499), [])

    def test_long_function(self):
        body = "\tx();\n" * 68
        self.assertEqual(
            self.source("int x(void)\n{\n" + body + "}\n"), ["function"]
        )

    def test_function_of_70_lines_passes(self):
        body = "\tx();\n" * 67
        self.assertEqual(self.source("int x(void)\n{\n" + body + "}\n"), [])

    def test_six_parameters(self):
        head = "int x(int a, int b, int c,\n      int d, int e, int f)\n"
        self.assertEqual(
            self.source(head + "{\n\treturn a;\n}\n"), ["parameters"]
        )

    def test_parameters_inside_a_parameter_do_not_count(self):
        head = "int x(int a, int (*b)(int, int, int), int c, int d, int e)\n"
        self.assertEqual(self.source(head + "{\n\treturn a;\n}\n"), [])

    def test_five_nested_blocks(self):
        body = "\tif (a) {\n\t\tfor (;;) {\n\t\t\twhile (b)\n"
        body += "\t\t\t\tif (c)\n\t\t\t\t\tif (d)\n\t\t\t\t\t\tx();\n\t\t}\n\t}\n"
        self.assertEqual(
            self.source("int x(void)\n{\n" + body + "}\n"), ["nesting"]
        )

    def test_five_nested_loops_of_macros(self):
        body = "each(a) {\n" * 5 + "x();\n" + "}\n" * 5
        body = "".join("\t" + line + "\n" for line in body.splitlines())
        self.assertEqual(
            self.source("int x(void)\n{\n" + body + "}\n"), ["nesting"]
        )

    def test_else_if_is_not_deeper_and_initializers_are_no_blocks(self):
        body = "\tint a[2][1] = { { 1 }, { { { { 2 } } } } };\n\tif (a)\n\t\tx();\n"
        body += "\telse if (a)\n\t\tx();\n" * 6 + "\telse\n\t\tx();\n"
        self.assertEqual(self.source("int x(void)\n{\n" + body + "}\n"), [])

    def test_name_used_twice(self):
        self.write("bench/trace/x.c", FUNCTION)
        self.assertEqual(self.source(FUNCTION), ["name"])

    def test_conditional_code(self):
        body = "#ifdef FAST\n\treturn 1;\n#endif\n\treturn 0;\n"
        self.assertEqual(
            self.source("int x(void)\n{\n" + body + "}\n"),
            ["variant", "variant"],
        )

    def test_conditional_definition_passes(self):
        self.assertEqual(self.source("#ifdef FAST\n#endif\n" + FUNCTION), [])

    def test_include_of_a_higher_layer(self):
        self.assertEqual(self.source('#include "core/purge.h"\n'), ["layer"])

    def test_include_of_the_bench(self):
        self.assertEqual(self.source('#include "trace/event.h"\n'), ["layer"])

    def test_unknown_layer(self):
        self.assertEqual(
            self.source(FUNCTION, "engine/extra/x.c"), ["layer"]
        )

    def test_source_without_test(self):
        self.write("engine/va/x.c", FUNCTION)
        self.assertEqual(self.rules(), ["test"])

    def test_raw_atomic(self):
        body = "\tatomic_store(&a, 1);\n"
        self.assertEqual(
            self.source("void x(void)\n{\n" + body + "}\n"), ["atomic"]
        )

    def test_order_without_reason(self):
        body = "\treturn load_relaxed(&a);\n"
        self.assertEqual(
            self.source("int x(void)\n{\n" + body + "}\n"), ["order"]
        )

    def test_missing_licence(self):
        self.write("tests/unit/test_x.c", FUNCTION, licence="\n")
        self.assertEqual(self.rules(), ["licence"])

    def test_marker(self):
        self.assertEqual(
            self.source("/* TO" + "DO: more */\n" + FUNCTION), ["marker"]
        )


class EdgesTest(unittest.TestCase):
    def check(self, text):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "x.c"
            path.write_text(text, encoding="utf-8")
            return edges.check([str(path)])

    def test_two_ends_pass(self):
        complaints, found = self.check(
            "/* release [hand-over]: all that was written. */\n"
            "store_release(&a, 1);\n"
            "/* acquire [hand-over]: see it. */\nload_acquire(&a);\n"
        )
        self.assertEqual((complaints, found), ([], ["hand-over"]))

    def test_one_end(self):
        complaints, _ = self.check(
            "/* release [lost]: nobody looks. */\nstore_release(&a, 1);\n"
        )
        self.assertEqual(len(complaints), 1)
        self.assertIn("only its release side", complaints[0])

    def test_release_without_an_edge(self):
        complaints, _ = self.check("/* release: so. */\nstore_release(&a);\n")
        self.assertIn("release without a reason", complaints[0])

    def test_edge_without_a_reason(self):
        complaints, _ = self.check(
            "/* acq_rel [gate] */\nadd_acq_rel(&a, 1);\n"
        )
        self.assertIn("acq_rel without a reason", complaints[0])

    def test_reason_too_far_above(self):
        far = "/* relaxed: a count. */\n" + "\n" * 8 + "load_relaxed(&a);\n"
        near = "/* relaxed: a count. */\n" + "\n" * 7 + "load_relaxed(&a);\n"
        self.assertEqual(len(self.check(far)[0]), 1)
        self.assertEqual(self.check(near)[0], [])

    def test_reason_over_two_lines(self):
        complaints, _ = self.check(
            "/*\n * acq_rel\n * [gate]: both.\n */\nadd_acq_rel(&a, 1);\n"
        )
        self.assertEqual(complaints, [])

    def test_macros_and_words_in_comments_are_no_operations(self):
        complaints, _ = self.check(
            "#define f(p) \\\n\tload_acquire(p)\n/* swap_acquire( */\n"
        )
        self.assertEqual(complaints, [])


if __name__ == "__main__":
    unittest.main()
