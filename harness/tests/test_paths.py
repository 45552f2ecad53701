# SPDX-License-Identifier: MIT
"""The cache's directories, when several guests want them at a time."""

import concurrent.futures
import os
import tempfile
import unittest
from unittest import mock

from mvharness import paths


class RunDirTest(unittest.TestCase):
    def test_guests_that_start_together_prune_together(self):
        with tempfile.TemporaryDirectory() as work, mock.patch.dict(os.environ, {"XDG_CACHE_HOME": work}):
            with concurrent.futures.ThreadPoolExecutor(8) as pool:
                made = list(pool.map(lambda _: paths.new_run_dir(keep=3), range(400)))
            self.assertEqual(len(set(made)), 400)
            self.assertEqual(len(list(paths.cache("runs").iterdir())), 3)


if __name__ == "__main__":
    unittest.main()
