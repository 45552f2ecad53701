# SPDX-License-Identifier: MIT
"""How harness/run ends when its caller, its streams or its files go away: a sentence or nothing, and the right code."""

import argparse
import contextlib
import io
import os
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import time
import unittest
from pathlib import Path
from unittest import mock

from mvharness import cells, cli, guestcmd, paths, reportfiles, rows, say, suites, terminal
from mvharness.errors import HarnessError, Interrupted, UsageError
from mvharness.plan import Plan
from mvharness.results import Case, SuiteResult, Verdict
from tests import as_in_a_terminal

RUN = str(paths.HARNESS / "run")


def shell(script: str, **env: str) -> subprocess.CompletedProcess:
    return subprocess.run(["bash", "-c", script, "bash", RUN], capture_output=True, text=True, check=False,
                          env=os.environ | env)


class StreamsTest(unittest.TestCase):
    def test_nobody_reads_the_output(self):
        for option in ("--list", "--list-json", "--help"):
            done = shell(f'"$1" {option} | true; echo ${{PIPESTATUS[0]}}')
            self.assertIn(done.stdout.strip(), ("0", "141"))
            self.assertEqual(done.stderr, "")

    def test_no_reader_is_141(self):
        reader, writer = os.pipe()
        os.close(reader)
        done = subprocess.run([RUN, "--list"], stdout=writer, stderr=subprocess.PIPE, text=True, check=False)
        os.close(writer)
        self.assertEqual((done.returncode, done.stderr), (141, ""))

    @unittest.skipUnless(os.path.exists("/dev/full"), "no /dev/full")
    def test_full_disk_is_a_sentence(self):
        for option in ("--list", "--help"):
            done = shell(f'"$1" {option} >/dev/full')
            self.assertEqual((done.returncode, done.stderr.count("\n")), (1, 1), done.stderr)
            self.assertIn("standard output cannot be written: No space left", done.stderr)

    def test_closed_streams(self):
        self.assertEqual(shell('"$1" --list >&-').returncode, 0)
        self.assertEqual(shell('"$1" -s nonsense 2>&-').returncode, 2)
        done = shell('"$1" --list <&- 2>&-')
        self.assertEqual(done.returncode, 0)
        self.assertIn("smoke", done.stdout)

    def test_a_progress_line_that_nobody_reads(self):
        class Gone(io.StringIO):
            def write(self, _text):
                raise BrokenPipeError
        with mock.patch("sys.stderr", Gone()):
            say.warn("x")
            say.last("y")

    def test_a_dumb_terminal_has_plain_lines(self):
        with mock.patch("sys.stderr.isatty", return_value=True):
            for name, good in (("xterm", True), ("dumb", False)):
                with mock.patch.dict(os.environ, TERM=name):
                    self.assertEqual(terminal.can_rewrite_lines(), good)


class CacheTest(unittest.TestCase):
    def test_a_cache_that_cannot_be_made(self):
        for command in (("-s", "smoke"), ("--", "true")):
            done = subprocess.run([RUN, "-k", "bookworm-6.1", *command], capture_output=True, text=True, check=False,
                                  env=os.environ | {"XDG_CACHE_HOME": "/proc/nothing"})
            self.assertEqual((done.returncode, done.stderr.count("\n")), (2, 1), done.stderr)
            self.assertIn("the cache /proc/nothing/mockvisor cannot be written", done.stderr)

    def test_trouble_later_is_a_sentence(self):
        def answer(error: OSError) -> tuple[int, str]:
            with mock.patch("mvharness.cli._run", side_effect=error), contextlib.redirect_stderr(io.StringIO()) as said:
                return cli.answer([]), said.getvalue()
        code, said = answer(PermissionError(13, "Permission denied", str(paths.cache_root() / "locks/x")))
        self.assertEqual(code, 2)
        self.assertRegex(said, "locks/x: Permission denied; the cache is .*XDG_CACHE_HOME")
        self.assertEqual(answer(FileNotFoundError(2, "No such file", "make")), (1, "harness/run: make: No such file.\n"))


def cell(name: str) -> cells.CellResult:
    return cells.CellResult(rows.Row(name), "6.1", "tcg", [SuiteResult("smoke", Verdict.PASS, "", [Case("smoke", Verdict.PASS)])])


class ReportsTest(unittest.TestCase):
    def options(self, **files: str) -> argparse.Namespace:
        return argparse.Namespace(**({"junit": None, "kcidb": None, "html": None} | files))

    def test_destinations_are_checked(self):
        with tempfile.TemporaryDirectory() as work:
            reportfiles.check(self.options(junit=f"{work}/j.xml", html=f"{work}/h.html"))
            self.assertEqual(os.listdir(work), [])
            for file, says in ((work, "that is a directory"), ("", "that is a directory"),
                               (f"{work}/none/j.xml", f"there is no directory {work}/none"),
                               ("/proc/j.xml", "nothing can be written in /proc")):
                with self.assertRaisesRegex(UsageError, says):
                    reportfiles.check(self.options(junit=file))

    def test_results_come_first_and_every_report_is_tried(self):
        with tempfile.TemporaryDirectory() as work:
            options = self.options(junit="/proc/j.xml", html=f"{work}/h.html")
            with contextlib.redirect_stdout(io.StringIO()) as out, self.assertRaisesRegex(HarnessError, "--junit /proc/j.xml cannot"):
                cli._conclude([cell("one")], [], options)
            self.assertIn("passed", out.getvalue())
            self.assertTrue(Path(options.html).exists())

    def test_reports_are_written_though_nobody_reads_the_output(self):
        with tempfile.TemporaryDirectory() as work:
            options = self.options(html=f"{work}/h.html")
            with mock.patch("mvharness.terminal.write_out", side_effect=BrokenPipeError), self.assertRaises(BrokenPipeError):
                cli._conclude([cell("one")], [], options)
            self.assertTrue(Path(options.html).exists())


class InterruptTest(unittest.TestCase):
    def ended(self, seconds: float, *numbers: int) -> tuple[int, str]:
        process = subprocess.Popen([RUN, "--list"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                                   preexec_fn=as_in_a_terminal)
        time.sleep(seconds)
        for number in numbers:
            process.send_signal(number)
        _, said = process.communicate(timeout=30)
        return process.returncode, said

    def test_while_it_starts(self):
        for seconds in (0.05, 0.08, 0.12):
            code, said = self.ended(seconds, signal.SIGINT, signal.SIGINT)
            self.assertNotIn("mvharness", said)
            self.assertIn(code, (0, 130, -signal.SIGINT))  # the interpreter itself may not have been up

    def test_further_signals_change_nothing(self):
        script = """
            import os, signal, sys, time
            from unittest import mock
            from mvharness import cli
            def run(argv):
                try:
                    os.kill(os.getpid(), signal.SIGTERM)
                    time.sleep(9)
                finally:
                    for _ in range(3):
                        os.kill(os.getpid(), signal.SIGINT)
                    print("put back", flush=True)
            with mock.patch("mvharness.cli._run", run):
                sys.exit(cli.main([]))
            """
        done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], cwd=paths.HARNESS, capture_output=True,
                              text=True, check=False, preexec_fn=as_in_a_terminal)
        self.assertEqual((done.returncode, done.stdout, done.stderr),
                         (143, "put back\n", "harness/run: interrupted by SIGTERM\n"))

    def test_what_had_ended_is_told(self):
        def run_cell(row, *_rest):
            if row.name == "second":
                raise Interrupted(signal.SIGINT)
            return cell(row.name)
        both = [rows.Row("first", kind="uml"), rows.Row("second", kind="uml")]
        with mock.patch("mvharness.cells.run_cell", run_cell), mock.patch("mvharness.qemu.stop_all"), \
                contextlib.redirect_stderr(io.StringIO()), self.assertRaises(Interrupted) as caught:
            cells.run(both, [], mock.Mock(source=None), [], 1, True)
        self.assertEqual([one.name for one in caught.exception.finished], ["first"])
        options = argparse.Namespace(junit=None, kcidb=None, html=None)
        with contextlib.redirect_stdout(io.StringIO()) as out:
            cli._tell_finished(caught.exception, [suites.load()["smoke"]], options)
        self.assertIn("first", out.getvalue())


class CommandTest(unittest.TestCase):
    def test_a_limit_below_a_second_is_one(self):
        plan = Plan()
        with mock.patch.multiple("mvharness.guestcmd", kerneltree=mock.DEFAULT, kbuild=mock.DEFAULT, initramfs=mock.DEFAULT,
                                 add_modules=mock.DEFAULT, Plan=lambda: plan):
            guestcmd._archive(["true"], mock.Mock(), mock.Mock(timeout=0.5, acrn_dm=0), False)
        self.assertIn(b"timeout\0" + b"1\0", plan.bytes())

    def test_ctrl_bracket_is_no_time_limit(self):
        keys, typed = os.pipe()
        os.write(typed, terminal.ESCAPE)
        process = subprocess.Popen(["sleep", "60"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        real = os.dup(0)
        os.dup2(keys, 0)
        try:
            with mock.patch("mvharness.terminal.raw", contextlib.nullcontext):
                self.assertIs(guestcmd._relay_terminal(process, io.BytesIO(), None), guestcmd.End.USER)
        finally:
            os.dup2(real, 0)
            process.kill()
            process.communicate()
            for fd in (real, keys, typed):
                os.close(fd)

    def test_sockets_have_short_paths(self):
        with tempfile.TemporaryDirectory() as work:
            deep = Path(work) / ("x" * 100)
            deep.mkdir()
            with mock.patch("tempfile.tempdir", str(deep)), paths.socket_directory() as place, \
                    socket.socket(socket.AF_UNIX) as link:
                link.bind(f"{place}/stdout")


if __name__ == "__main__":
    unittest.main()
