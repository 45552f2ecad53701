# SPDX-License-Identifier: MIT
"""suites.toml: what --complete changes, and the environment that reaches the guest."""

import tempfile
import unittest
from pathlib import Path

from mvharness import suiterun, suites
from mvharness.errors import UsageError
from mvharness.plan import Plan


class SuitesTest(unittest.TestCase):
    def load(self, text: str) -> dict[str, suites.Suite]:
        with tempfile.TemporaryDirectory() as work:
            path = Path(work) / "suites.toml"
            path.write_text(text)
            return suites.load(path)

    def test_complete(self):
        suite = self.load('[s]\nkind = "gtest"\ndescription = ""\ncommand = "s"\nslow = ["*Long"]\n'
                          'complete = { timeout = 900, env = { SECONDS = "60" } }\n')["s"]
        self.assertEqual((suite.timeout, suite.env, suite.slow), (300, {}, ("*Long",)))
        whole = suites.complete(suite)
        self.assertEqual((whole.timeout, whole.env, whole.slow), (900, {"SECONDS": "60"}, ()))

    def test_complete_knows_its_words(self):
        with self.assertRaisesRegex(UsageError, "complete: there is no key timout"):
            self.load('[s]\nkind = "gtest"\ndescription = ""\ncommand = "s"\ncomplete = { timout = 900 }\n')

    def test_what_is_not_right_is_told_with_file_and_key(self):
        head = '[s]\nkind = "gtest"\ndescription = ""\ncommand = "x"\n'
        for text, says in (("x = 1\n", "x is no table"),
                           (head + 'timeout = "abc"\n', "suite s: timeout must be a whole number"),
                           (head + "timeout = true\n", "timeout must be a whole number"),
                           (head + "timeout = 0\n", "timeout must be a positive number"),
                           (head + 'args = "-x"\n', "args must be a list of strings"),
                           (head + "env = { A = 1 }\n", "env must be a table, each of its values a string"),
                           (head + 'complete = { timeout = "long" }\n', "complete: timeout must be a whole number"),
                           (head + "colour = 1\n", "there is no key colour; valid: kind"),
                           (head.replace("[s]", '["a b"]'), "a name has letters"),
                           ('[s]\nkind = ["c"]\n', "kind must be one of gtest"),
                           ('[s]\nkind = "cmd"\ndescription = ""\n', "kind cmd needs the key command"),
                           ('[s]\nkind = "cmd"\ncommand = "x"\n', "needs the key description"),
                           ('[s]\nkind = "c"\ndescription = ""\n', "kind c needs the key source"),
                           ('[s]\nkind = "build"\ndescription = ""\nmode = "zz"\n', "mode must be one of normal, w1")):
            with self.assertRaisesRegex(UsageError, rf"suites\.toml: .*{says}"):
                self.load(text)

    def test_no_suites_file(self):
        with self.assertRaisesRegex(UsageError, "/bin/sh is not in the form of suites.toml"):
            suites.load(Path("/bin/sh"))
        with self.assertRaisesRegex(UsageError, "/nonexistent: No such file"):
            suites.load(Path("/nonexistent"))

    def test_one_minus_in_a_filter(self):
        """All behind the first minus is left out; a second would be a letter."""
        def cases(more: str) -> str:
            suite = self.load('[s]\nkind = "gtest"\ndescription = ""\ncommand = "s"\n' + more)["s"]
            return suiterun._argv(suite, Path("/bin/s"))[-1]
        self.assertEqual(cases('slow = ["*A", "*B"]'), "--gtest_filter=*-*A:*B")
        self.assertEqual(cases('cases = "*-*C"\nslow = ["*A", "*B"]'), "--gtest_filter=*-*C:*A:*B")
        self.assertEqual(cases('cases = "*C"'), "--gtest_filter=*C")

    def test_modules_and_accelerator(self):
        suite = self.load('[s]\nkind = "gtest"\ndescription = ""\ncommand = "s"\nmodules = ["kvm-amd"]\naccel = "tcg"\ncpus = 1')["s"]
        self.assertEqual((suite.modules, suite.accel, suite.cpus), (("kvm-amd",), "tcg", 1))

    def test_environment_is_in_the_plan(self):
        plan = Plan()
        plan.suite("s", ["/bin/s", "-x"], 5, {"SECONDS": "60"})
        self.assertEqual(plan.bytes().split(b"\0")[:-1],
                         [b"suite", b"s", b"timeout", b"5", b"env", b"SECONDS=60", b"arg", b"/bin/s", b"arg", b"-x",
                          b"run", b""])


if __name__ == "__main__":
    unittest.main()
