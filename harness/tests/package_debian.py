# SPDX-License-Identifier: MIT
"""The Debian packages build, hold what they should, and DKMS makes a module of the installed source.

Run by scripts/test, or: python3 -m unittest discover -s harness/tests -t harness -p 'package_*.py'
"""

import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from mvharness import kerneltree, paths, rows

KERNEL = "bookworm-6.1"


def must(argv: list, **more) -> str:
    done = subprocess.run([str(a) for a in argv], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
                          stdin=subprocess.DEVNULL, **more)
    if done.returncode:
        raise AssertionError(f"{argv} ended with {done.returncode}:\n{done.stdout[-4000:]}")
    return done.stdout


class PackageTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        work = tempfile.TemporaryDirectory(prefix="mockvisor-package-")
        cls.addClassCleanup(work.cleanup)
        cls.work = Path(work.name)
        source = cls.work / "source"
        listed = must(["git", "-c", "safe.directory=*", "ls-files", "-co", "--exclude-standard"], cwd=paths.REPO)
        for name in listed.splitlines():
            if (paths.REPO / name).is_file():
                (source / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(paths.REPO / name, source / name)
        must(["dpkg-buildpackage", "-b", "-uc", "-us"], cwd=source, env=dict(os.environ, DEB_BUILD_OPTIONS="noautodbgsym"))
        cls.root = cls.work / "root"
        for file in cls.work.glob("*.deb"):
            must(["dpkg-deb", "-x", file, cls.root])

    def test_what_is_in_them(self):
        names = {file.name.partition("_")[0] for file in self.work.glob("*.deb")}
        self.assertEqual(names, {"mockvisor-dkms", "mvmm", "libcrosvm-plugin0", "libcrosvm-plugin-dev"})
        for name in ("usr/bin/mvmm", "usr/share/man/man1/mvmm.1.gz", "usr/include/mockvisor/mockvisor.h",
                     "usr/include/mockvisor/linux/gunyah.h", "usr/src/mockvisor-0.1.0/dkms.conf",
                     "usr/src/mockvisor-0.1.0/Kbuild", "usr/include/crosvm.h",
                     "usr/lib/x86_64-linux-gnu/libcrosvm_plugin.so.0",
                     "usr/lib/x86_64-linux-gnu/pkgconfig/libcrosvm_plugin.pc"):
            self.assertTrue((self.root / name).is_file(), name)
        self.assertIn("--backend", must([self.root / "usr/bin/mvmm", "--help"]))

    def test_versions_agree(self):
        version = must(["dpkg-parsechangelog", "-S", "Version"], cwd=paths.REPO).strip()
        self.assertIn(f'PACKAGE_VERSION="{version}"', (paths.REPO / "dkms.conf").read_text())
        self.assertIn(f"VERSION {version} ", (paths.REPO / "CMakeLists.txt").read_text())
        self.assertIn(f"-V {version} ", (paths.REPO / "debian/rules").read_text())

    def test_dkms_builds_the_installed_source(self):
        tree = kerneltree.obtain(rows.load()[KERNEL])
        source = self.root / "usr/src"
        dkms = ["--dkmstree", self.work / "tree", "--sourcetree", source, "--installtree", self.work / "install"]
        for directory in ("tree", "install"):
            (self.work / directory).mkdir(exist_ok=True)
        # dkms makes a signing key for the machine when it has none; there it would stay
        apart = ["unshare", "-m", "sh", "-c", 'mount -t tmpfs tmpfs /var/lib/dkms && exec "$@"', "sh"]
        must([*apart, "dkms", "add", "mockvisor/0.1.0", *dkms])
        try:
            must([*apart, "dkms", "build", "mockvisor/0.1.0", "-k", tree.kernel.release, "-a", "x86_64", "--kernelsourcedir",
                  tree.headers, *dkms])
        except AssertionError as error:
            logs = [log.read_text()[-4000:] for log in (self.work / "tree").rglob("make.log")]
            raise AssertionError("\n".join([str(error), *logs])) from None
        built = list((self.work / "tree").rglob("mockvisor.ko*"))
        self.assertEqual(len(built), 1, built)


if __name__ == "__main__":
    unittest.main()
