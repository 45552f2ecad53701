# SPDX-License-Identifier: MIT
"""`harness/run --acrn-dm[=MIB] -- acrn-dm ...`: a guest in which ACRN's device model finds what it looks for.

The emulated PC has /sys/firmware/acpi/tables/APIC by itself, and /run and /tmp can be written in every guest. This adds
memory for huge pages (guest RAM, and what the device model keeps for itself), directories under /run, a writable
/var/log and /dev/hugepages. There is no /dev/net/tun, which acrn-dm does without.
"""

import shutil

from .plan import Plan

DEFAULT_MIB = 1024
MACHINE_MIB = 1024  # the system around the guest
# A 16 MiB frame buffer and 2 MiB of OVMF, which are there whether they are used or not.
EXTRA_PAGES = 9
DIRECTORIES = ("/run/acrn", "/run/acrn/mngr", "/run/hugepage", "/run/hugepage/acrn", "/var/log/acrn-dm")


def pages(guest_mib: int) -> int:
    """Of 2 MiB each."""
    return -(-guest_mib // 2) + EXTRA_PAGES


def machine_mib(guest_mib: int) -> int:
    return MACHINE_MIB + 2 * pages(guest_mib)


def kernel_line(guest_mib: int) -> str:
    """Reserved at boot, before memory is in pieces."""
    return f" hugepagesz=2M hugepages={pages(guest_mib)}"


def put(plan: Plan) -> None:
    plan.put("mount", "tmpfs /var/log")
    plan.put("mount", "hugetlbfs /dev/hugepages")
    for directory in DIRECTORIES:
        plan.put("mkdir", directory)


def missing() -> str:
    """A sentence about what the host should have and has not, or nothing."""
    if shutil.which("iasl"):
        return ""
    return "no iasl on this host: acrn-dm cannot make its ACPI tables; install acpica-tools."
