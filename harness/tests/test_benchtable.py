# SPDX-License-Identifier: MIT
"""The benchmark table, from a recorded Google Benchmark file."""

import json
import unittest

from mvharness import benchtable
from mvharness.errors import HarnessError

RECORDED = json.dumps({"benchmarks": [
    {"name": "null_ioctl/min_time:0.100", "real_time": 100.0, "time_unit": "ns"},
    {"name": "futex_ping_pong/min_time:0.100/real_time", "real_time": 50.0, "time_unit": "us"},
    {"name": "exit/acrn/x86_64/iterations:4/manual_time", "real_time": 40.0, "time_unit": "us"},
    {"name": "workload/native/iterations:2/real_time", "real_time": 10.0, "time_unit": "ms"},
    {"name": "workload/inproc/arm64/iterations:2/manual_time", "real_time": 70.0, "time_unit": "ms", "mips": 640.0},
]})


class BenchTable(unittest.TestCase):
    def test_ratios_are_to_the_baselines_of_the_same_run(self):
        lines = benchtable.table("here", benchtable.results(RECORDED))
        self.assertIn("400.00 x null_ioctl, 0.80 x futex_ping_pong", lines[3])
        self.assertTrue(lines[3].startswith("exit/acrn/x86_64 "))
        self.assertIn("640.0  7.00 x workload/native", lines[5])

    def test_baselines_have_no_ratio_to_themselves(self):
        measured = benchtable.results(RECORDED)
        self.assertEqual(benchtable.ratios("null_ioctl", measured), "")
        self.assertEqual(benchtable.ratios("workload/native", measured), "")

    def test_a_failed_benchmark_is_a_failure(self):
        text = json.dumps({"benchmarks": [{"name": "exit/x", "error_occurred": True, "error_message": "no node"}]})
        with self.assertRaisesRegex(HarnessError, "exit/x failed: no node"):
            benchtable.results(text)


if __name__ == "__main__":
    unittest.main()
