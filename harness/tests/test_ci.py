# SPDX-License-Identifier: MIT
"""What CI services read is what kernels.toml says; KernelCI's JSON is whole."""

import json
import re
import subprocess
import time
import unittest
from datetime import datetime

from mvharness import cells, kcidb, paths, progress, rows
from mvharness.progress import Stage
from mvharness.results import Case, SuiteResult, Verdict


class JobsTest(unittest.TestCase):
    def test_json_lists_every_row_with_a_command(self):
        done = subprocess.run([paths.HARNESS / "run", "--list-json", "-k", "all,gate,sanitizers"], capture_output=True, text=True,
                              check=True)
        jobs = json.loads(done.stdout)["include"]
        self.assertEqual([job["name"] for job in jobs],
                         [row.name for row in rows.select(rows.load(), ["all", "gate", "sanitizers"])])
        for job in jobs:
            self.assertTrue(job["command"].startswith("harness/run -k "), job)
            self.assertEqual(job["preset"], "arm64" if job["arch"] == "arm64" else "release")

    def test_every_row_is_a_plan(self):
        text = (paths.REPO / "plans/kernels.fmf").read_text()
        plans = re.findall(r"^/(\S+):$", text, re.M)
        self.assertEqual(sorted(plans), sorted(rows.load()))
        self.assertEqual(plans, re.findall(r"^        MV_KERNEL: (\S+)$", text, re.M))

    def test_workflow_takes_its_matrix_from_the_harness(self):
        text = (paths.REPO / ".github/workflows/ci.yml").read_text()
        self.assertIn("harness/run --list-json", text)
        for name in rows.load():
            self.assertNotIn(name, text)


class KernelCiTest(unittest.TestCase):
    def test_builds_and_tests(self):
        suite = SuiteResult("glue", Verdict.FAIL, "", [Case("A.b/c", Verdict.PASS, 1.5), Case("d e", Verdict.LOST, 0, "why")])
        lost = SuiteResult("kernel", Verdict.FAIL, "no archive", []).settle()
        data = json.loads(kcidb.render([cells.CellResult(rows.Row("one"), "6.1", "tcg", [suite], [Stage("x", 1)], 2.0),
                                        cells.CellResult(rows.Row("two"), "", "none", [lost], [], 0.1)]))
        self.assertEqual(data["version"], {"major": 4, "minor": 0})
        self.assertEqual([build["valid"] for build in data["builds"]], [True, False])
        self.assertEqual([test["status"] for test in data["tests"]], ["PASS", "ERROR", "FAIL"])
        self.assertEqual(data["tests"][0]["path"], "mockvisor.glue.A.b_c")
        self.assertEqual(data["tests"][1]["misc"]["message"], "why")
        ids = [entry["id"] for kind in ("builds", "tests") for entry in data[kind]]
        self.assertEqual(len(ids), len(set(ids)))
        for test in data["tests"]:
            self.assertIn(test["build_id"], [build["id"] for build in data["builds"]])
            self.assertTrue(re.fullmatch(r"[A-Za-z0-9._-]+", test["path"]))

    def test_a_build_starts_when_it_starts(self):
        an_hour_ago = time.monotonic() - progress.BEGIN - 3600
        cell = cells.CellResult(rows.Row("one"), "6.1", "tcg", [], [Stage("x", 1, an_hour_ago)], 2.0)
        start = json.loads(kcidb.render([cell]))["builds"][0]["start_time"]
        self.assertAlmostEqual(datetime.fromisoformat(start).timestamp(), time.time() - 3600, delta=60)


if __name__ == "__main__":
    unittest.main()
