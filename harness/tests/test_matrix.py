# SPDX-License-Identifier: MIT
"""The matrix: rows, resolution, own kernels' configurations, reports over cells."""

import json
import os
import subprocess
import tempfile
import unittest
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path
from unittest import mock

from mvharness import cells, deb, flavors, htmlreport, kernels, ldwrap, ownkernel, paths, progress, report, rows, splat, suiterun, suites, verdict
from mvharness.errors import HarnessError, UsageError
from mvharness.progress import Stage
from mvharness.results import Case, SuiteResult, Verdict

HEADERS = ["linux-headers-6.12-amd64", "linux-headers-6.12.9+deb13-amd64", "linux-headers-6.12.107+deb13-amd64",
           "linux-headers-6.12.107+deb13-cloud-amd64", "linux-headers-6.12.117+deb13-rt-amd64",
           "linux-headers-6.12.117+deb13-common", "linux-headers-7.3.4+deb13-amd64", "linux-headers-6.1.0-9-amd64",
           "linux-headers-6.1.0-56-amd64"]


class RowTest(unittest.TestCase):
    def test_shipped_rows(self):
        known = rows.load()
        self.assertTrue({"all", "gate"} <= {name for row in known.values() for name in row.lists})
        chosen = rows.select(known, ["all", "uml-6.1"])
        self.assertEqual(len(chosen), len(set(chosen)))

    def test_bad_rows_are_refused(self):
        for text in ('[a]\nkind="x"', '[a]\nseries="six"', '[a]\ncolour="red"', '[a]\nkind="tree"'):
            with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
                file.write(text)
                file.flush()
                with self.assertRaises(UsageError):
                    rows.load(Path(file.name))

    def test_directories_of_one_name_are_told_apart(self):
        with tempfile.TemporaryDirectory() as work:
            given = [Path(work) / name for name in ("a/x/linux", "b/x/linux", "y/linux", "y/other", "uml-6.1")]
            for path in given:
                path.mkdir(parents=True)
            chosen = rows.select(rows.load(), ["uml-6.1", *map(str, given), str(given[0] / "../linux")])
            self.assertEqual([row.name for row in chosen], ["uml-6.1", "a/x/linux", "b/x/linux", "y/linux", "other",
                                                            f"{Path(work).name}/uml-6.1"])
            self.assertEqual(cells.repeat([], chosen[1]), f"-k {given[0]}")

    def test_newest_first(self):
        self.assertEqual(kernels.newest_first(HEADERS, "6.12", "", "amd64"),
                         ["6.12.107+deb13-amd64", "6.12.9+deb13-amd64"])
        self.assertEqual(kernels.newest_first(HEADERS, "6.12", "cloud", "amd64"), ["6.12.107+deb13-cloud-amd64"])
        self.assertEqual(kernels.newest_first(HEADERS, "newest", "", "amd64")[0], "7.3.4+deb13-amd64")
        self.assertEqual(kernels.newest_first(HEADERS, "6.1", "", "amd64")[0], "6.1.0-56-amd64")

    def test_json_for_ci(self):
        done = subprocess.run([paths.HARNESS / "run", "--list-json", "-k", "gate"], capture_output=True, text=True,
                              check=True)
        jobs = json.loads(done.stdout)["include"]
        self.assertIn("harness/run -k bullseye-5.10", [job["command"] for job in jobs])


class OrderTest(unittest.TestCase):
    def test_what_is_built_from_source_starts_first_and_results_keep_their_order(self):
        wanted = [rows.Row("stock"), rows.Row("um", kind="uml"), rows.Row("other"), rows.Row("debug", flavor="kasan"),
                  rows.Row("own", path="/x", kind="path")]
        started = []

        def cell(row, *_):
            started.append(row.name)
            return row.name

        with mock.patch.object(cells, "run_cell", cell):
            done = cells.run(wanted, [], suiterun.Options("tcg", False, None, Path()), [], 1, True)
        self.assertEqual(done, ["stock", "um", "other", "debug", "own"])
        self.assertEqual(started, ["um", "debug", "stock", "other", "own"])


class CellTest(unittest.TestCase):
    def test_what_cannot_be_used_is_told_before_the_first_cell(self):
        started = []
        with tempfile.TemporaryDirectory() as work, mock.patch.object(cells, "run_cell", lambda row, *_: started.append(row)):
            with self.assertRaisesRegex(UsageError, "not configured"):
                cells.run([rows.Row("um", kind="uml"), rows.Row("x", kind="dir", path=work)], [],
                          suiterun.Options("tcg", False, None, Path()), [], 1, True)
            with self.assertRaisesRegex(UsageError, "Kbuild does not exist"):
                cells.run([rows.Row("um", kind="uml")], [], suiterun.Options("tcg", False, None, Path(), Path(work)), [], 1, True)
        self.assertEqual(started, [])

    def failed(self, error: Exception) -> SuiteResult:
        with mock.patch.object(cells.kerneltree, "obtain", side_effect=error):
            cell = cells.run_cell(rows.Row("one"), [suites.load()["smoke"], suites.load()["glue"]],
                                  suiterun.Options("tcg", False, None, Path()), ["harness/run", "--offline"], True)
        return cell.suites[-1]

    def test_a_kernel_that_cannot_be_had_is_the_trouble_of_its_cell(self):
        result = self.failed(HarnessError("building it failed", "/x/build.log"))
        self.assertEqual((result.verdict, result.log), (Verdict.FAIL, "/x/build.log"))
        self.assertEqual(result.repeat, "harness/run --offline -k one -s smoke -s glue")
        self.assertEqual(self.failed(UsageError("no such kernel")).reason, "no such kernel")


class ConfigTest(unittest.TestCase):
    def test_merge_and_missing(self):
        wanted = {"CONFIG_A": "y", "CONFIG_B": "n", "CONFIG_C": '"x"'}
        merged = ownkernel.merge("CONFIG_A=m\nCONFIG_B=y\nCONFIG_D=y\n", wanted)
        self.assertEqual(ownkernel.read_config(merged), {"CONFIG_D": "y", **wanted})
        self.assertEqual(ownkernel.missing(merged, wanted), [])
        self.assertEqual(ownkernel.missing("CONFIG_B=y\n", wanted), ["CONFIG_A=y", "CONFIG_B=n", 'CONFIG_C="x"'])

    def test_every_flavor_is_readable(self):
        for name in flavors.names():
            self.assertTrue(ownkernel.wanted_options(flavors.fragments("amd64", name)))
        self.assertEqual(sorted(flavors.ORDER), flavors.names())

    def test_what_a_kernel_need_not_have(self):
        with tempfile.NamedTemporaryFile("w", suffix=".config") as file:
            file.write("CONFIG_A=y\n# Not in every kernel (7.x):\nCONFIG_B=y\nCONFIG_C=y\n")
            file.flush()
            self.assertEqual(ownkernel.may_be_missing([Path(file.name)]), {"CONFIG_B"})
        self.assertEqual(ownkernel.may_be_missing(flavors.fragments("um", "")), {"CONFIG_PROC_SYSCTL"})

    def test_a_lost_option_is_an_error(self):
        def make(_source, out, _arch, target):
            if target == "olddefconfig":
                config = (out / ".config").read_text()
                (out / ".config").write_text(config.replace("CONFIG_KCSAN=y\n", ""))
            else:
                (out / ".config").write_text("")
            return subprocess.CompletedProcess([], 0, "")

        with tempfile.TemporaryDirectory() as work, mock.patch.object(ownkernel, "_make", make):
            out, log = Path(work), Path(work) / "build.log"
            ownkernel.configure(out, out, "amd64", flavors.fragments("amd64", "kasan"), log)
            with self.assertRaisesRegex(HarnessError, "configuration has no CONFIG_KCSAN=y; log: "):
                ownkernel.configure(out, out, "amd64", flavors.fragments("amd64", "kcsan"), log)


class FlavorTest(unittest.TestCase):
    def test_one_kernel_for_all_ways_to_write_it(self):
        for text in ("lockdep,kasan", "kasan,,lockdep", "kasan,lockdep,kasan", "kasan,lockdep"):
            self.assertEqual(flavors.normal(text, "um"), "kasan,lockdep")

    def test_what_cannot_be_had_is_refused_before_a_build(self):
        for text, says in (("sugar", "no such flavor; valid: atomic"), (",", "names no flavor"),
                           ("kasan,kcsan", "--flavor kcsan is not for um kernels: it needs several processors.")):
            with self.assertRaisesRegex(UsageError, says):
                rows.select(rows.load(), ["uml-6.1"], text)
        self.assertEqual(rows.select(rows.load(), ["bookworm-6.1"], "kcsan")[0].flavor, "kcsan")

    def named(self, name: str, flavor: str = "") -> tuple[str, str]:
        row, = rows.select(rows.load(), [name], flavor)
        return cells.cell_name(row), cells.repeat([], row)

    def test_a_name_and_a_command_tell_the_flavor_that_was_asked_for(self):
        self.assertEqual(self.named("uml-kasan"), ("uml-kasan", "-k uml-kasan"))
        self.assertEqual(self.named("uml-kasan", "kasan"), ("uml-kasan+kasan", "-k uml-kasan --flavor kasan"))
        self.assertEqual(self.named("uml-atomic"), ("uml-atomic", "-k uml-atomic"))
        self.assertEqual(self.named("uml-atomic", "atomic,lockdep"), ("uml-atomic", "-k uml-atomic"))
        self.assertEqual(self.named("uml-6.1", "kasan"), ("uml-6.1+kasan", "-k uml-6.1 --flavor kasan"))


class PackageTest(unittest.TestCase):
    def test_a_truncated_package_is_removed_and_leaves_nothing(self):
        with tempfile.TemporaryDirectory() as work:
            tree = Path(work) / "p"
            (tree / "DEBIAN").mkdir(parents=True)
            (tree / "DEBIAN/control").write_text("Package: p\nVersion: 1\nArchitecture: all\nMaintainer: m <m@m>\n"
                                                 "Description: d\n")
            (tree / "data").write_bytes(bytes(range(256)) * 4000)
            tree.chmod(0o755)
            (tree / "DEBIAN").chmod(0o755)
            file = Path(work) / "p.deb"
            subprocess.run(["dpkg-deb", "--build", tree, file], capture_output=True, check=True)
            deb.unpack(file, Path(work))
            file.write_bytes(file.read_bytes()[:-400])
            final = Path(work) / "final"
            with self.assertRaisesRegex(HarnessError, "damaged"):
                with paths.published(final) as unfinished:
                    deb.unpack(file, unfinished)
            self.assertFalse(file.exists())
            self.assertFalse(final.exists())

    def test_leftovers_of_killed_runs_go(self):
        with tempfile.TemporaryDirectory() as work:
            for name in (".k_1.abcdefgh", ".k_1.1.abcdefgh", ".other.abcdefgh", ".old.abcdefgh", "k_1.1"):
                (Path(work) / name / "usr").mkdir(parents=True)
            os.utime(Path(work) / ".old.abcdefgh", (1, 1))
            paths.remove_leftovers(Path(work) / "k_1")
            self.assertEqual(sorted(p.name for p in Path(work).iterdir()), [".k_1.1.abcdefgh", ".other.abcdefgh", "k_1.1"])

    def test_glibc_wanted_by_a_program(self):
        with tempfile.TemporaryDirectory() as work:
            program = Path(work) / "a"
            program.write_bytes(b"\x7fELF....\0GLIBC_2.9\0GLIBC_2.38\0GLIBC_2.4\0")
            self.assertEqual(ldwrap.needs(program), (2, 38))
            program.write_bytes(b"#!/bin/sh\0GLIBC_2.38\0")
            self.assertEqual(ldwrap.needs(program), (0,))


class GuestWordsTest(unittest.TestCase):
    def test_what_was_said_before_pid_1_is_not_the_modules(self):
        log = f"WARNING: suspicious RCU usage\n<1>{splat.UP}\nfine\n"
        self.assertEqual(splat.find(log), [])
        self.assertEqual(len(splat.find(log + "BUG: KASAN: use-after-free in x\n")), 1)

    def test_garbage_is_lost(self):
        for garbage in ("\0\ufffd\x1b[2J%%%", "success?\nsuite\nsuite x exit\n" * 50, "up\nsuite a exit x y\n"):
            record = verdict.BootRecord(0, garbage, garbage, garbage, garbage, {"a.json": b"\xff{"})
            self.assertIs(verdict.judge_boot(record).verdict, Verdict.LOST)
            self.assertNotIn(Verdict.PASS, [verdict.judge([], record)[0].verdict])


class ProgressTest(unittest.TestCase):
    def test_a_file_of_nonsense_is_no_hint(self):
        with tempfile.TemporaryDirectory() as work, mock.patch.dict(os.environ, {"XDG_CACHE_HOME": work}):
            for text in ("[]", '"x"', "7", '{"k s": "soon", "k t": true, "k u": [1]}', "{"):
                paths.publish_file(paths.cache() / "timings.json", text.encode())
                self.assertEqual(progress._known(), {}, text)

    def test_other_suites_take_another_time(self):
        with tempfile.TemporaryDirectory() as work, mock.patch.dict(os.environ, {"XDG_CACHE_HOME": work}):
            for what in ("a", "b", ""):
                ours = progress.Progress("k")
                with ours.stage("running", what):
                    pass
                ours.remember()
            self.assertEqual(set(progress._known()), {"k running", "k running a", "k running b"})


class LinkCheck(HTMLParser):
    def __init__(self):
        super().__init__()
        self.ids, self.links, self.outside = set(), set(), []

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.ids.add(attrs.get("id"))
        if attrs.get("href", "").startswith("#"):
            self.links.add(attrs["href"][1:])
        if tag in ("script", "link", "img") or "://" in attrs.get("href", "") + attrs.get("src", ""):
            self.outside.append(tag)


class ReportTest(unittest.TestCase):
    def cells(self):
        good = SuiteResult("smoke", Verdict.PASS, "", [Case("a", Verdict.PASS), Case("b", Verdict.SKIP, 0, "no <x>")])
        bad = SuiteResult("glue", Verdict.FAIL, "a case failed", [Case("c", Verdict.FAIL, 0.1, "1 < 2 & \"so\"")],
                          repeat="harness/run -k one -s glue", log="/nonexistent")
        lost = SuiteResult("glue", Verdict.LOST, "no word", []).settle()
        return [cells.CellResult(rows.Row("one"), "6.1 (Debian 1)", "tcg", [good, bad], [Stage("running the suites", 1.5, 0.5)], 2.0),
                cells.CellResult(rows.Row("two"), "", "none", [lost], [], 1.0)]

    def test_table(self):
        lines = report.table(self.cells()).splitlines()
        self.assertRegex(lines[0], r"^kernel +smoke +glue +seconds +version$")
        self.assertRegex(lines[1], r"^one +pass 1 \(1 skipped\) +FAIL +2\.0 +6\.1 \(Debian 1\)$")
        self.assertRegex(lines[2], r"^two +- +LOST +1\.0 +-$")
        self.assertIn("repeat: harness/run -k one -s glue", report.failures(self.cells()))

    def test_ktap_and_junit(self):
        text = report.ktap_cells(self.cells())
        self.assertIn("not ok 1 one", text)
        self.assertIn("    ok 1 a", text)
        root = ET.fromstring(report.junit_cells(self.cells()))
        self.assertEqual([node.get("name") for node in root], ["one.smoke", "one.glue", "two.glue"])

    def test_html_is_whole(self):
        text = htmlreport.render(self.cells())
        check = LinkCheck()
        check.feed(text)
        self.assertTrue(check.links and check.links <= check.ids, check.links - check.ids)
        self.assertEqual(check.outside, [])
        self.assertIn("1 &lt; 2 &amp;", text)


if __name__ == "__main__":
    unittest.main()
