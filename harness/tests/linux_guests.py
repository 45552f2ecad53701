# SPDX-License-Identifier: MIT
"""Debian's kernel on mvmm's PCI devices, in this process and with several CPUs: what the guest reads is what is on the disk.

Run by scripts/test, or: python3 -m unittest discover -s harness/tests -t harness -p 'linux_*.py'
"""

import hashlib
import os
import random
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from mvharness import linuxguest, paths

MVMM = Path(os.environ.get("MV_MVMM", paths.REPO / "build/bin/mvmm"))
KERNEL = "bookworm-6.1"
MIB = 1 << 20

# Half of the disk is read, copied to the other half, and read again from the device.
DISK = """
echo serial=$(cat /sys/block/vda/serial) end
echo first=$(dd if=/dev/vda bs=1M count=10 2>/dev/null | sha256sum)
dd if=/dev/vda of=/dev/vda bs=1M count=10 seek=10 conv=fsync 2>/dev/null
echo 3 > /proc/sys/vm/drop_caches
echo second=$(dd if=/dev/vda bs=1M skip=10 count=10 2>/dev/null | sha256sum)
echo random=$(dd if=/dev/hwrng bs=64 count=4 2>/dev/null | wc -c) from $(cat /sys/class/misc/hw_random/rng_current)
echo "a line on hvc0" > /dev/hvc0
echo cpus=$(nproc) end
grep virtio /proc/interrupts
echo all is well
poweroff -f
"""

READ_ONLY = """
echo ro=$(cat /sys/block/vda/ro) end
if dd if=/dev/zero of=/dev/vda bs=512 count=1 conv=fsync 2>/dev/null; then echo written; fi
echo all is well
poweroff -f
"""

# The second life finds what the first has written.
TWICE = """
if [ "$(dd if=/dev/vda bs=512 count=1 2>/dev/null | head -c 5)" = again ]; then
  echo second life
  poweroff -f
fi
printf again | dd of=/dev/vda bs=512 count=1 conv=sync,fsync 2>/dev/null
echo first life
reboot -f
"""

# In the module's guest nobody looks at the image afterwards: the script compares by itself, and powers off in its second
# life only.  A comparison that fails ends PID 1, the kernel panics, and mvmm's exit code is not 0.
BEHIND_ACRN = """
sum() { dd if=/dev/vda bs=1M skip=$1 count=2 2>/dev/null | sha256sum | cut -d' ' -f1; }
[ $(nproc) = @CPUS@ ]
[ $(sum 0) = @WANT@ ]
if [ $(sum 2) = @WANT@ ]; then poweroff -f; fi
dd if=/dev/vda of=/dev/vda bs=1M count=2 seek=2 conv=fsync 2>/dev/null
echo 3 > /proc/sys/vm/drop_caches
[ $(sum 2) = @WANT@ ]
[ $(dd if=/dev/hwrng bs=64 count=4 2>/dev/null | wc -c) = 256 ]
echo "a line on hvc0" > /dev/hvc0
grep -q MSI.*virtio0-req /proc/interrupts
reboot -f
"""

# A machine at work: processes by the hundred, a disk that is read, written and read again, and the machine switched off.
# All that is compared is compared in the guest, so that the script serves in the module's guest as well; a command that
# fails ends PID 1.  @WANT@ is the checksum of the disk's first half.
WORK = """
[ $(nproc) = @CPUS@ ]
sum() { dd if=/dev/vda bs=1M skip=$1 count=10 2>/dev/null | sha256sum | cut -d' ' -f1; }
mkdir /tmp/forked
i=0
while [ $i -lt 200 ]; do
  (echo $i > /tmp/forked/$i) &
  i=$((i + 1))
done
wait
[ $(cat /tmp/forked/* | sort -n | uniq | wc -l) = 200 ]
echo forked=$i end
[ $(sum 0) = @WANT@ ]
dd if=/dev/vda of=/dev/vda bs=1M count=10 seek=10 conv=fsync 2>/dev/null
echo 3 > /proc/sys/vm/drop_caches
[ $(sum 10) = @WANT@ ]
if dmesg | grep -iE "@COMPLAINTS@"; then exit 1; fi
echo all is well
poweroff -f
"""

# What no boot may say.  "nmi_watchdog" and "softlockup" are names of knobs, and not looked for.
COMPLAINTS = ("BUG:|Oops|WARNING:|soft lockup|hard lockup|hung_task|blocked for more than|rcu_.*stall|clocksource: timekeeping"
              "|calibrate_delay_direct.. failed|Marking clocksource|clock.*unstable|Clock.*skewed|TSC.*(unstable|warp)|Kernel panic")

# The machine's root is its disk: the initrd only loads the driver.
SWITCH_ROOT = """
mkdir /new
mount -t ext4 /dev/vda /new
umount /sys; umount /proc
mount -o move /dev /new/dev
exec switch_root /new /bin/sh /etc/start
"""

ON_DISK = """
set -e
export PATH=/bin
mount -t proc p /proc
grep -E " / ext[24] rw" /proc/mounts
[ "$(cat /data)" = "@TEXT@" ]
i=0
while [ $i -lt 20 ]; do cp /bin/busybox /copy.$i; i=$((i + 1)); done
sync; echo 3 > /proc/sys/vm/drop_caches
i=0
while [ $i -lt 20 ]; do cmp /bin/busybox /copy.$i; rm /copy.$i; i=$((i + 1)); done
echo "written by the guest" > /answer
mount -o remount,ro /
echo all is well
poweroff -f
"""

# Virtual time: a sleep costs nothing, and what is random comes from the seed.
VIRTUAL = """
sleep 1000
echo year=$(date +%Y) random=$(head -c 16 /dev/urandom | sha256sum | cut -d' ' -f1)
echo all is well
poweroff -f
"""

SUITE = """
[linux]
kind = "cmd"
command = "mvmm"
args = ["--backend=acrn", "--kernel={0}/bzImage", "--initrd={0}/initrd", "--append=console=ttyS0", "--disk={0}/disk", "--rng",
        "--virtio-console=/tmp/hvc", "--memory=160m", "--cpus={2}", "--on-reset={3}"]
files = ["{1}/*"]
timeout = {4}
description = "Debian's kernel behind the acrn backend"
"""


class LinuxGuestTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.kernel = linuxguest.tree(KERNEL)

    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.dir = Path(directory.name)
        self.disk = self.dir / "disk.img"

    def boot(self, script: str, *options: str, append: str = "", modules=None) -> subprocess.CompletedProcess:
        (self.dir / "initrd").write_bytes(linuxguest.initrd(self.kernel, script, modules))
        command = [MVMM, "--kernel", linuxguest.image(self.kernel), "--initrd", self.dir / "initrd",
                   "--append", f"console=ttyS0 panic=-1 {append}", *options]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
                              timeout=300, check=False)
        self.assertNotRegex(done.stdout, re.compile(COMPLAINTS, re.I), done.stdout[-4000:])
        return done

    def random(self) -> random.Random:
        self.seed = int(os.environ.get("MV_SEED", random.SystemRandom().randrange(1 << 32)))
        print(f"MV_SEED={self.seed}", flush=True)
        return random.Random(self.seed)

    def works(self, *options: str, append: str = "") -> str:
        """A boot that uses every device; returns what the guest said."""
        content = self.random().randbytes(20 * MIB)
        self.disk.write_bytes(content)
        done = self.boot(DISK, "--disk", str(self.disk), "--rng", "--virtio-console", str(self.dir / "hvc"), *options,
                         append=append)
        said = f"MV_SEED={self.seed}\n{done.stdout[-4000:]}\n{done.stderr}"
        self.assertEqual(done.returncode, 0, said)
        self.assertIn("all is well", done.stdout, said)
        wanted = hashlib.sha256(content[:10 * MIB]).hexdigest()
        self.assertIn(f"first={wanted}", done.stdout, said)
        self.assertIn(f"second={wanted}", done.stdout, said)
        self.assertTrue(self.disk.read_bytes() == content[:10 * MIB] * 2, f"the image is not what the guest wrote; MV_SEED={self.seed}")
        self.assertIn("serial=mockvisor-disk0 end", done.stdout)
        self.assertIn("random=256 from virtio_rng.0", done.stdout)
        self.assertIn("a line on hvc0", (self.dir / "hvc").read_text())
        return done.stdout

    def test_every_device_with_msi_x(self):
        said = self.works()
        self.assertRegex(said, r"MSI.*virtio0-req")

    def test_every_device_with_a_shared_pin(self):
        said = self.works(append="pci=nomsi")
        self.assertRegex(said, r"IO-APIC +17-fasteoi +virtio0")

    def test_four_cpus(self):
        self.assertIn("cpus=4 end", self.works("--cpus", "4"))

    def test_a_read_only_disk(self):
        self.disk.write_bytes(b"x" * MIB)
        done = self.boot(READ_ONLY, "--disk", f"{self.disk},readonly")
        self.assertEqual(done.returncode, 0, done.stdout[-4000:])
        self.assertIn("ro=1 end", done.stdout)
        self.assertNotIn("written", done.stdout)
        self.assertEqual(self.disk.read_bytes(), b"x" * MIB)

    def test_a_reset_restarts_the_machine_or_ends_it(self):
        self.disk.write_bytes(bytes(MIB))
        done = self.boot(TWICE, "--disk", str(self.disk), "--on-reset", "restart")
        self.assertEqual(done.returncode, 0, done.stdout[-4000:])
        self.assertRegex(done.stdout, re.compile("first life.*second life", re.S))
        self.disk.write_bytes(bytes(MIB))
        done = self.boot(TWICE, "--disk", str(self.disk))
        self.assertEqual(done.returncode, 101, done.stdout[-4000:])
        self.assertNotIn("second life", done.stdout)

    def work_script(self, content: bytes) -> str:
        return WORK.replace("@WANT@", hashlib.sha256(content[:10 * MIB]).hexdigest()).replace("@CPUS@", "4").replace("@COMPLAINTS@", COMPLAINTS)

    def test_four_cpus_at_work(self):
        content = self.random().randbytes(20 * MIB)
        self.disk.write_bytes(content)
        done = self.boot(self.work_script(content), "--disk", str(self.disk), "--cpus", "4", "--stats")
        self.assertEqual(done.returncode, 0, done.stdout[-4000:] + done.stderr)
        now, most = (int(kib) for kib in re.search(r", (\d+) KiB of at most (\d+) besides guest memory", done.stderr).groups())
        self.assertLessEqual(now, most)
        self.assertLessEqual(most, 32 << 10, "four vCPUs with every cache warm")
        self.assertIn("forked=200 end", done.stdout)
        self.assertIn("all is well", done.stdout)
        self.assertTrue(self.disk.read_bytes() == content[:10 * MIB] * 2, "the image is not what the guest wrote")

    def test_the_32_bit_entry(self):
        done = self.boot("echo all is well; poweroff -f\n", "--mode", "32")
        self.assertEqual(done.returncode, 0, done.stdout[-4000:] + done.stderr)
        self.assertIn("all is well", done.stdout)

    def test_virtual_time_is_the_same_three_times(self):
        """One seed, one run: to the instruction and to the byte.  Another seed is another run."""
        seed = self.random().randrange(1 << 64)
        runs = [self.boot(VIRTUAL, "--virtual-time", str(s), "--stats") for s in (seed, seed, seed, seed ^ 1)]
        for done in runs:
            self.assertEqual(done.returncode, 0, done.stdout[-4000:] + done.stderr)
            self.assertIn("all is well", done.stdout)
        same, other = runs[:3], runs[3]
        self.assertRegex(same[0].stderr, r"vcpu0 \d{9,} instructions")
        self.assertEqual(len({(done.stdout, done.stderr) for done in same}), 1, "a run differs from the one before")
        self.assertNotEqual(other.stderr, same[0].stderr)
        self.assertIn("year=2020", same[0].stdout)
        random_bytes = [re.search("random=(.*)", done.stdout)[1] for done in (same[0], other)]
        self.assertNotEqual(random_bytes[0], random_bytes[1])

    def test_root_on_a_disk(self):
        text = f"{self.random().randrange(1 << 64):x}"
        root = self.dir / "root"
        for name in ("bin", "dev", "etc", "proc", "sys", "tmp"):
            (root / name).mkdir(parents=True)
        busybox = linuxguest.busybox_of("amd64")
        shutil.copy(busybox, root / "bin/busybox")
        for applet in subprocess.run([busybox, "--list"], capture_output=True, text=True, check=True).stdout.split():
            if applet != "busybox":
                (root / "bin" / applet).symlink_to("busybox")
        (root / "data").write_text(text)
        (root / "etc/start").write_text(ON_DISK.replace("@TEXT@", text))
        subprocess.run(["/sbin/mke2fs", "-q", "-t", "ext4", "-d", root, self.disk, "64m"], check=True, capture_output=True)
        done = self.boot(SWITCH_ROOT, "--disk", str(self.disk), append="root=/dev/vda",
                         modules=(*linuxguest.DEVICES, linuxguest.TRANSPORT["amd64"], "ext4", "crc32c_generic"))
        self.assertEqual(done.returncode, 0, done.stdout[-4000:] + done.stderr)
        self.assertIn("all is well", done.stdout)
        answer = subprocess.run(["/sbin/debugfs", "-R", "cat /answer", self.disk], capture_output=True, text=True, check=True)
        self.assertEqual(answer.stdout, "written by the guest\n")
        check = subprocess.run(["/sbin/e2fsck", "-fn", self.disk], capture_output=True, text=True, check=False)
        self.assertEqual(check.returncode, 0, check.stdout)

    def behind_acrn(self, row: str, script: str, disk: bytes, cpus: int, on_reset: str = "exit", timeout: int = 240):
        with tempfile.TemporaryDirectory(dir=paths.REPO / "build", prefix="linux-guest-") as name:
            there = Path(name)
            (there / "initrd").write_bytes(linuxguest.initrd(self.kernel, script))
            (there / "bzImage").write_bytes(linuxguest.image(self.kernel).read_bytes())
            (there / "disk").write_bytes(disk)
            (there / "suites.toml").write_text(SUITE.format(there, there.name, cpus, on_reset, timeout))
            done = subprocess.run([paths.HARNESS / "run", "-k", row, "--suites", there / "suites.toml", "-s", "linux"],
                                  capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def restarted_behind_acrn(self, cpus: int):
        """By ioeventfd and irqfd through the module, restarted once by a system reset."""
        content = self.random().randbytes(2 * MIB)
        script = BEHIND_ACRN.replace("@WANT@", hashlib.sha256(content).hexdigest()).replace("@CPUS@", str(cpus))
        self.behind_acrn("uml-6.1", script, content + bytes(2 * MIB), cpus, "restart")

    def test_four_cpus_at_work_behind_the_acrn_driver(self):
        content = self.random().randbytes(20 * MIB)
        self.behind_acrn("uml-6.1", self.work_script(content), content, 4)

    def test_behind_the_acrn_driver(self):
        self.restarted_behind_acrn(1)

    def test_two_cpus_behind_the_acrn_driver(self):
        self.restarted_behind_acrn(2)


if __name__ == "__main__":
    unittest.main()
