# SPDX-License-Identifier: MIT
"""Every check under scripts/checks must be able to fail."""

import subprocess
import tempfile
import unittest
from pathlib import Path

from mvharness import paths

GOOD = {
    "kmod/core/env.h": "/* SPDX-License-Identifier: GPL-2.0 OR MIT */\n#include <linux/types.h>\n",
    "kmod/core/a.c": "// SPDX-License-Identifier: GPL-2.0 OR MIT\n#include \"env.h\"\n",
    "kmod/glue/compat.h": "/* SPDX-License-Identifier: GPL-2.0 */\n#if LINUX_VERSION_CODE < 5\n#endif\n",
    "kmod/glue/g.c": "// SPDX-License-Identifier: GPL-2.0\n#include <linux/fs.h>\n#include \"compat.h\"\n",
    "userspace/vmm/backend/acrn.cc": "// SPDX-License-Identifier: MIT\n#include <sys/ioctl.h>\nint f() { return ioctl(0, 0); }\n",
    "userspace/vmm/bus/bus.cc": "// SPDX-License-Identifier: MIT\n// ioctl( in a comment\nint g();\n",
}


class ChecksTest(unittest.TestCase):
    def run_check(self, check: str, changes: dict[str, str]) -> tuple[int, str]:
        with tempfile.TemporaryDirectory() as work:
            for name, text in {**GOOD, **changes}.items():
                (Path(work) / name).parent.mkdir(parents=True, exist_ok=True)
                (Path(work) / name).write_text(text)
            done = subprocess.run([paths.REPO / "scripts/checks" / check, work], capture_output=True, text=True,
                                  check=False)
            return done.returncode, done.stdout

    def refuse(self, check: str, name: str, text: str, line: int):
        code, out = self.run_check(check, {name: text})
        self.assertEqual(code, 1, out)
        self.assertEqual([row.split(": ")[0] for row in out.splitlines()], [f"{name}:{line}"])

    def test_a_good_tree_passes(self):
        for check in ("layers", "spdx"):
            self.assertEqual(self.run_check(check, {}), (0, ""))

    def test_layers(self):
        for name, text, line in (
            ("kmod/core/a.c", "#include \"env.h\"\n#include <linux/slab.h>\n", 2),
            ("kmod/core/a.c", "#include \"../glue/g.h\"\n", 1),
            ("kmod/glue/g.c", "#include <stdio.h>\n", 1),
            ("kmod/glue/g.c", "\n#if LINUX_VERSION_CODE < 5\n", 2),
            ("userspace/vmm/bus/bus.cc", "#include <sys/ioctl.h>\n", 1),
            ("userspace/vmm/bus/bus.cc", "#include <boost/asio.hpp>\n", 1),
            ("userspace/vmm/dispatch/d.cc", "int x = ioctl(1, 2);\n", 1),
            ("userspace/vmm/loader/l.cc", "#include <sys/ioctl.h>\n", 1),
            ("userspace/plugin/client/c.cc", "#include \"plugin/host/h.h\"\n", 1),
            ("userspace/plugin/wire/w.cc", "#include \"vmm/bus/bus.h\"\n", 1),
            ("userspace/plugin/host/h.cc", "#include <boost/asio.hpp>\n", 1),
            ("userspace/app/main.cc", "int x = ::ioctl(1, 2);\n", 1),
        ):
            with self.subTest(name=name, text=text):
                self.refuse("layers", name, text, line)

    def test_spdx(self):
        self.refuse("spdx", "kmod/core/a.c", "int a;\n", 1)
        self.refuse("spdx", "kmod/core/a.c", "// SPDX-License-Identifier: GPL-2.0\n", 1)
        self.refuse("spdx", "kmod/glue/g.c", "\n// SPDX-License-Identifier: MIT\n", 2)
        self.refuse("spdx", "tool", "#!/bin/sh\n", 1)
