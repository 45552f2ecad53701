# SPDX-License-Identifier: MIT
"""What counts as a splat in a kernel log. This is the only place that says so."""

import re

# Each is searched for in lines of the kernel's log.
POLICY = (
    r"\bBUG: ",
    r"\bWARNING: (CPU|possible|suspicious|bad unlock|inconsistent|Nested)",
    r"\bUBSAN: ",
    r"\bKASAN: |\bKCSAN: |\bKMSAN: ",
    r"\bOops\b",
    r"general protection fault",
    r"Unable to handle kernel",
    r"unable to handle (kernel|page fault)",
    r"kernel BUG at",
    r"possible (circular|recursive) locking",
    r"suspicious RCU usage",
    r"INFO: rcu_\w+ (self-)?detected",
    r"INFO: task .* blocked for more than",
    r"watchdog: BUG: soft lockup|hard LOCKUP",
    r"sleeping function called from invalid context",
    r"scheduling while atomic",
    r"refcount_t: ",
    r"list_(add|del) corruption",
    r"unreferenced object 0x",
    r"Bad page (state|map)",
    r"Unknown symbol|disagrees about version of symbol|Invalid module format",
    r"stack-protector: |stack guard page was hit|Thread overran stack",
    r"Kernel panic",
)
# PID 1 writes it: what was said before is no fault of the module (User Mode Linux complains of itself under lockdep).
UP = "mockvisor guest: init is up"
# Lines that match the policy but mean nothing, each with its reason.
HARMLESS: tuple[tuple[str, str], ...] = ()

_policy = re.compile("|".join(POLICY))
_harmless = re.compile("|".join(pattern for pattern, _ in HARMLESS)) if HARMLESS else None
_panic = re.compile(r"Kernel panic - not syncing: ?(?P<why>.*)")


def find(log: str) -> list[str]:
    """The offending lines of a kernel log, in order."""
    return [line.strip() for line in log.rpartition(UP)[2].splitlines()
            if _policy.search(line) and not (_harmless and _harmless.search(line))]


def panic(log: str) -> str | None:
    """Why the kernel panicked, or None if it did not."""
    match = _panic.search(log)
    return (match["why"].strip() or "no reason given") if match else None
