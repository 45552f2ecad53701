# SPDX-License-Identifier: MIT
"""Debian's arm64 kernel on mvmm's board, in this process and behind the gunyah driver: scripts, disks, restarts.

Run by scripts/test, or: python3 -m unittest discover -s harness/tests -t harness -p 'linux_*.py'
"""

import hashlib
import os
import random
import subprocess
import tempfile
import unittest
from pathlib import Path

from mvharness import linuxguest, paths

MVMM = Path(os.environ.get("MV_MVMM", paths.REPO / "build/bin/mvmm"))
KERNEL = "arm64-6.1"
FIXTURES = Path(__file__).parent / "fixtures"
MIB = 1 << 20

# Two hundred processes, time that passes, the clock of the host, interrupts of the UART.
WORK = """
echo cpus=$(nproc) end
i=0; while [ $i -lt 200 ]; do /bin/true & i=$((i+1)); done; wait
a=$(cut -d' ' -f1 /proc/uptime); sleep 1; b=$(cut -d' ' -f1 /proc/uptime)
[ ${b%.*} -gt ${a%.*} ]
echo rtc=$(cat /sys/class/rtc/rtc0/since_epoch) end
echo numbers=$(awk 'BEGIN { for (i = 0; i < 20000; ++i) s = s / 3 + i * 0.7; printf "%.12f", s }') end
grep uart-pl011 /proc/interrupts
echo all is well
@END@ -f
"""


# Half of the disk is read, copied to the other half, and read again from the device.
DISK = """
echo first=$(dd if=/dev/vda bs=1M count=10 2>/dev/null | sha256sum)
dd if=/dev/vda of=/dev/vda bs=1M count=10 seek=10 conv=fsync 2>/dev/null
echo 3 > /proc/sys/vm/drop_caches
echo second=$(dd if=/dev/vda bs=1M skip=10 count=10 2>/dev/null | sha256sum)
echo random=$(dd if=/dev/hwrng bs=64 count=4 2>/dev/null | wc -c) from $(cat /sys/class/misc/hw_random/rng_current)
echo "a line on hvc0" > /dev/hvc0
grep virtio /proc/interrupts
if [ "$(cat /sys/block/vda/serial)" != mockvisor-disk0 ]; then exit 1; fi
echo all is well
poweroff -f
"""

# The second life finds what the first has written.
TWICE = """
if [ "$(dd if=/dev/vda bs=512 count=1 2>/dev/null | head -c 5)" = again ]; then
  echo all is well, again
  poweroff -f
fi
printf again | dd of=/dev/vda bs=512 count=1 conv=sync,fsync 2>/dev/null
reboot -f
"""

# Processes, and a disk whose first half is read, copied to the other and read again, 10 MiB each time.  In the
# module's guest mvmm's exit code is all that is seen: what fails ends PID 1, and the kernel panics.
WORKLOAD = """
[ $(nproc) = @CPUS@ ]
sum() { dd if=/dev/vda bs=1M skip=$1 count=10 2>/dev/null | sha256sum | cut -d' ' -f1; }
forks() { i=0; while [ $i -lt 200 ]; do /bin/true & i=$((i+1)); done; wait; echo > /tmp/forked; }
forks &
if [ -b /dev/vda ]; then
  [ $(sum 0) = @WANT@ ]
  dd if=/dev/vda of=/dev/vda bs=1M count=10 seek=10 conv=fsync 2>/dev/null
  echo 3 > /proc/sys/vm/drop_caches
  [ $(sum 10) = @WANT@ ]
fi
wait
[ -e /tmp/forked ]
sleep 1
grep -q uart-pl011 /proc/interrupts
echo all is well
poweroff -f
"""

# Step, breakpoint and watchpoint as a debugger uses them; twice, for what the first leaves behind.
DEBUGGED = """
debugger && debugger
poweroff -f
"""

# From the initial RAM disk to a root on /dev/vda.
SWITCH = """
mkdir /new
mount -t ext4 /dev/vda /new
umount /proc /sys
mount --move /dev /new/dev
exec switch_root /new /sbin/init
"""

# What that root does: it has its own programs, is read and written, and says so to the next life.
ROOT = """
[ "$(stat -f -c %T /)" = ext2/ext3 ]
mount -o remount,rw /
sha256sum -c /data.sum
cp /data /copy; sync; echo 3 > /proc/sys/vm/drop_caches
cmp /data /copy
echo all is well > /said
sync; mount -o remount,ro /
cat /said
poweroff -f
"""

SUITE = """
[linux]
kind = "cmd"
command = "mvmm"
args = ["--backend=gunyah", "--kernel={0}/Image", "--initrd={0}/initrd", "--append=console=ttyAMA0 panic=-1", "--memory=128m",
        "--cpus={2}"{3}]
files = ["{1}/*"]
timeout = 400
description = "Debian's arm64 kernel behind the gunyah backend"
"""


class Arm64GuestTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.kernel = linuxguest.tree(KERNEL)

    def boot(self, script: str, *options: str, modules: tuple[str, ...] | None = (),
             programs: tuple[Path, ...] = ()) -> subprocess.CompletedProcess:
        with tempfile.TemporaryDirectory() as name:
            initrd = Path(name) / "initrd"
            initrd.write_bytes(linuxguest.initrd(self.kernel, script, modules, programs))
            command = [MVMM, "--arch", "arm64", "--kernel", linuxguest.image(self.kernel), "--initrd", initrd,
                       "--append", "console=ttyAMA0 earlycon panic=-1", *options]
            done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
                                  timeout=300, check=False)
        self.assertNotRegex(done.stdout, r"BUG:|Oops|WARNING:|soft lockup|rcu_.*stall|Kernel panic", done.stdout[-4000:])
        self.assertIn("all is well", done.stdout, done.stdout[-4000:] + done.stderr)
        return done

    def works(self, *options: str) -> str:
        done = self.boot(WORK.replace("@END@", "poweroff"), *options)
        self.assertEqual(done.returncode, 0, done.stdout[-4000:])
        numbers = 0.0
        for i in range(20000):
            numbers = numbers / 3 + i * 0.7
        self.assertIn(f"numbers={numbers:.12f} end", done.stdout)
        self.assertRegex(done.stdout, r"GICv3 +33 Edge +uart-pl011")
        return done.stdout

    def test_to_the_end_of_a_script(self):
        self.assertIn("cpus=1 end", self.works())

    def test_four_cpus(self):
        self.assertIn("cpus=4 end", self.works("--cpus", "4"))

    def random_bytes(self, size: int) -> tuple[int, bytes]:
        seed = int(os.environ.get("MV_SEED", random.SystemRandom().randrange(1 << 32)))
        return seed, random.Random(seed).randbytes(size)

    def disk(self, *options: str):
        seed, content = self.random_bytes(20 * MIB)
        with tempfile.TemporaryDirectory() as name:
            disk, line = Path(name) / "disk", Path(name) / "hvc"
            disk.write_bytes(content)
            done = self.boot(DISK, "--disk", str(disk), "--rng", "--virtio-console", str(line), *options, modules=None)
            said = f"MV_SEED={seed}\n{done.stdout[-4000:]}\n{done.stderr}"
            self.assertEqual(done.returncode, 0, said)
            wanted = hashlib.sha256(content[:10 * MIB]).hexdigest()
            self.assertIn(f"first={wanted}", done.stdout, said)
            self.assertIn(f"second={wanted}", done.stdout, said)
            self.assertTrue(disk.read_bytes() == content[:10 * MIB] * 2, f"the image is not what the guest wrote; MV_SEED={seed}")
            self.assertIn("a line on hvc0", line.read_text())
        self.assertIn("random=256 from virtio_rng.0", done.stdout)
        self.assertRegex(done.stdout, r"GICv3 +48 Edge +virtio0")

    def test_every_virtio_device(self):
        self.disk()

    def test_every_virtio_device_with_four_cpus(self):
        self.disk("--cpus", "4")

    def test_a_debugger_steps_breaks_and_watches(self):
        done = self.boot(DEBUGGED, programs=(FIXTURES / "debugger.c",))
        self.assertRegex(done.stdout, "found 2 breakpoint and 2 watchpoint registers")

    def test_a_reset_is_exit_code_101(self):
        self.assertEqual(self.boot(WORK.replace("@END@", "reboot")).returncode, 101)

    def test_a_reset_restarts_the_machine(self):
        with tempfile.NamedTemporaryFile() as disk:
            disk.write(bytes(MIB))
            disk.flush()
            done = self.boot(TWICE, "--disk", disk.name, "--on-reset", "restart", modules=None)
        self.assertEqual(done.returncode, 0, done.stdout[-4000:])
        self.assertEqual(done.stdout.count("Restarting system"), 1)

    def workload(self, cpus: int) -> tuple[str, int, bytes]:
        seed, content = self.random_bytes(10 * MIB)
        script = WORKLOAD.replace("@CPUS@", str(cpus))
        return script.replace("@WANT@", hashlib.sha256(content).hexdigest()), seed, content

    def test_workload_with_four_cpus(self):
        script, seed, content = self.workload(4)
        with tempfile.NamedTemporaryFile() as disk:
            disk.write(content + bytes(10 * MIB))
            disk.flush()
            done = self.boot(script, "--disk", disk.name, "--cpus", "4", modules=None)
            self.assertTrue(Path(disk.name).read_bytes() == content * 2, f"the image is not what the guest wrote; MV_SEED={seed}")
        self.assertEqual(done.returncode, 0, f"MV_SEED={seed}\n{done.stdout[-4000:]}")

    def test_root_on_a_disk(self):
        seed, content = self.random_bytes(3 * MIB)
        with tempfile.TemporaryDirectory() as name:
            disk = Path(name) / "root"
            files = {"data": content, "data.sum": f"{hashlib.sha256(content).hexdigest()}  /data\n".encode()}
            linuxguest.root_image(disk, "arm64", ROOT, files, 32 * MIB)
            done = self.boot(SWITCH, "--disk", str(disk), "--cpus", "2", modules=None)
            self.assertEqual(done.returncode, 0, f"MV_SEED={seed}\n{done.stdout[-4000:]}")
            subprocess.run(["e2fsck", "-fn", disk], check=True, capture_output=True)
            copy = subprocess.run(["debugfs", "-R", "cat /copy", disk], check=True, capture_output=True).stdout
        self.assertTrue(copy == content, f"the file is not what the guest copied; MV_SEED={seed}")

    def behind_gunyah(self, cpus: int, *options: str, script: str | None = None):
        with tempfile.TemporaryDirectory(dir=paths.REPO / "build", prefix="linux-guest-") as name:
            there = Path(name)
            work, seed, content = self.workload(cpus)
            (there / "disk").write_bytes(content + bytes(10 * MIB))
            modules = None if any("DISK" in option for option in options) else ()
            (there / "initrd").write_bytes(linuxguest.initrd(self.kernel, script or work, modules))
            (there / "Image").write_bytes(linuxguest.image(self.kernel).read_bytes())
            more = "".join(f', "{option}"' for option in options).replace("DISK", str(there / "disk"))
            (there / "suites.toml").write_text(SUITE.format(there, there.name, cpus, more))
            done = subprocess.run([paths.HARNESS / "run", "-k", "uml-6.1", "--suites", there / "suites.toml", "-s", "linux"],
                                  capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, f"MV_SEED={seed}\n{done.stdout}{done.stderr}")

    def test_four_cpus_in_lent_memory_behind_the_gunyah_driver(self):
        self.behind_gunyah(4)

    def test_workload_in_shared_memory_behind_the_gunyah_driver(self):
        self.behind_gunyah(4, "--unprotected", "--disk=DISK")

    def test_a_reset_restarts_the_machine_behind_the_gunyah_driver(self):
        self.behind_gunyah(1, "--unprotected", "--disk=DISK", "--on-reset=restart", script=TWICE)


if __name__ == "__main__":
    unittest.main()
