# SPDX-License-Identifier: MIT
"""The HTML report in a real browser, without a network: everything is there and the timeline is drawn."""

import re
import subprocess
import tempfile
import unittest
from pathlib import Path

from mvharness import cells, htmlreport, rows
from mvharness.progress import Stage
from mvharness.results import Case, SuiteResult, Verdict


class BrowserTest(unittest.TestCase):
    def browse(self, *argv: str) -> str:
        with tempfile.TemporaryDirectory() as profile:
            done = subprocess.run(["chromium", "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}",
                                   "--window-size=1300,900", "--host-resolver-rules=MAP * ~NOTFOUND", *argv],
                                  capture_output=True, text=True, check=True, timeout=120)
        return done.stdout

    def test_report(self):
        suites = [SuiteResult("smoke", Verdict.PASS, "", [Case("a", Verdict.PASS, 0.5)], 0.5),
                  SuiteResult("glue", Verdict.CRASH, "signal 11", [Case("b", Verdict.CRASH, 2, "<here>")], 2.0)]
        done = [cells.CellResult(rows.Row("one"), "6.1", "tcg", suites,
                                 [Stage("building the module", 2, 0), Stage("running the suites (tcg)", 5, 2)], 7.0)]
        with tempfile.TemporaryDirectory() as work:
            page, picture = Path(work) / "report.html", Path(work) / "report.png"
            page.write_text(htmlreport.render(done))
            seen = self.browse("--dump-dom", page.as_uri())
            self.browse(f"--screenshot={picture}", page.as_uri())
            self.assertGreater(picture.stat().st_size, 10_000)
        self.assertEqual(re.findall(r"<title>([\w -]+): ([\d.]+) s</title>", seen),
                         [("building the module", "2.0"), ("boot", "2.5"), ("smoke", "0.5"), ("glue", "2.0")])
        for words in ("&lt;here&gt;", "crash", 'href="#one--glue"', 'id="one--glue"'):
            self.assertIn(words, seen)


if __name__ == "__main__":
    unittest.main()
