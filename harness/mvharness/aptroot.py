# SPDX-License-Identifier: MIT
"""A private apt root: Debian's packages with their signatures checked, the machine's apt untouched."""

import os
import re
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from . import paths, say
from .errors import HarnessError

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
DEFAULT_ARCHIVE = "http://deb.debian.org/debian"
DEFAULT_SUITES = ("bookworm", "bookworm-updates", "bookworm-security")
LISTS_MAX_AGE = 12 * 3600
APT_SECONDS = 600
ROOM = 512 << 20  # bytes: lists, one package and its unpacked files
# Transport settings (proxies, timeouts) must follow the machine; index targets and hooks must not.
INHERITED = re.compile(r'^Acquire::(http|https|ftp|Retries|ForceIPv4|ForceIPv6)\b.*;$', re.I)


def machine_archives() -> tuple[str, str]:
    """The archive and security URIs: MOCKVISOR_ARCHIVE, else what the machine's own apt uses, else Debian's own."""
    own = os.environ.get("MOCKVISOR_ARCHIVE")
    if own:
        return own.rstrip("/"), own.rstrip("/") + "-security"
    out = subprocess.run(["apt-get", "indextargets", "--format", "$(REPO_URI)"],
                         capture_output=True, text=True, check=False).stdout
    uris = [line.strip().rstrip("/") for line in out.splitlines() if line.strip()]
    main = next((u for u in uris if u.endswith("/debian")), DEFAULT_ARCHIVE)
    security = next((u for u in uris if u.endswith("/debian-security")), main + "-security")
    return main, security


def _transport_settings() -> str:
    out = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=False).stdout
    return "\n".join(line for line in out.splitlines() if INHERITED.match(line))


class AptRoot:
    """Apt with its own state, cache and sources under the cache directory; one root per set of suites.

    So a suite that cannot be reached is the trouble of its own kernels only, and the candidate of a package is what
    these suites have.
    """

    def __init__(self, offline: bool = False, suites: tuple[str, ...] = DEFAULT_SUITES, arch: str = "amd64"):
        self.offline = offline
        self.suites = suites
        self.arch = arch
        self.name = "+".join(suites) + "-" + arch
        self.dir = paths.cache("apt", self.name)

    def _configure(self) -> None:
        if not os.path.exists(KEYRING):
            raise HarnessError(f"{KEYRING} is missing, so kernels cannot be verified; run scripts/setup.")
        for sub in ("state/lists/partial", "cache/archives/partial", "etc/apt.conf.d", "etc/preferences.d",
                    "etc/sources.list.d"):
            (self.dir / sub).mkdir(parents=True, exist_ok=True)
        (self.dir / "state/status").touch()
        main, security = machine_archives()
        lines = [f"deb [signed-by={KEYRING}] {security if suite.endswith('-security') else main} {suite} main"
                 for suite in self.suites]
        paths.publish_file(self.dir / "etc/sources.list", ("\n".join(lines) + "\n").encode())
        # Check-Valid-Until: mirrors that lag are common; signatures are checked all the same.
        conf = f'''Dir "{self.dir}";
Dir::State "state";
Dir::State::status "{self.dir}/state/status";
Dir::Cache "cache";
Dir::Etc "etc";
Dir::Etc::Parts "apt.conf.d";
Dir::Etc::trusted "";
Dir::Etc::trustedparts "";
Dir::Bin::methods "/usr/lib/apt/methods";
APT::Architecture "{self.arch}";
APT::Architectures {{ "{self.arch}"; }};
APT::Sandbox::User "root";
Acquire::Retries "1";
Acquire::http::Timeout "20";
Acquire::Languages "none";
Acquire::GzipIndexes "true";
Acquire::Check-Valid-Until "false";
{_transport_settings()}
'''
        paths.publish_file(self.dir / "apt.conf", conf.encode())

    def _run(self, argv: list[str], cwd: Path | None = None) -> str:
        env = dict(os.environ, APT_CONFIG=str(self.dir / "apt.conf"), LC_ALL="C")
        try:
            done = subprocess.run(argv, env=env, cwd=cwd, capture_output=True, text=True, check=False,
                                  timeout=APT_SECONDS)
        except subprocess.TimeoutExpired:
            raise HarnessError(f"`{' '.join(argv)}` did not end within {APT_SECONDS} s.") from None
        if done.returncode:
            last = (done.stderr.strip() or done.stdout.strip()).splitlines()
            raise HarnessError(f"`{' '.join(argv)}` failed: {last[-1] if last else 'no message'}")
        return done.stdout

    def _need_room(self) -> None:
        """apt waits for ever when the disk fills under it."""
        free = shutil.disk_usage(self.dir).free
        if free < ROOM:
            raise HarnessError(f"{self.dir} has {free >> 20} MiB free, {ROOM >> 20} are needed: No space left for packages.")

    def refresh(self) -> None:
        """Fetches the package lists unless they are younger than LISTS_MAX_AGE."""
        stamp = self.dir / "updated"
        if stamp.exists() and time.time() - stamp.stat().st_mtime < LISTS_MAX_AGE:
            return
        if self.offline:
            if stamp.exists():
                return
            raise HarnessError(f"--offline was given but no package list of {self.suites[0]} is cached; "
                               "run once without it.")
        self._need_room()
        self._configure()
        say.note(f"fetching the package lists of {', '.join(self.suites)} ({self.arch}, private apt root)")
        self._run(["apt-get", "update", "-q", "-o", "APT::Update::Error-Mode=any"])
        stamp.touch()

    def names(self, prefix: str) -> list[str]:
        return sorted(self._run(["apt-cache", "pkgnames", prefix]).split())

    def show(self, package: str) -> dict[str, str] | None:
        """The candidate's control fields, or None if there is no such package."""
        try:
            text = self._run(["apt-cache", "show", "--no-all-versions", package])
        except HarnessError:
            return None
        fields: dict[str, str] = {}
        for line in text.splitlines():
            if not line.strip() and fields:
                break
            name, colon, value = line.partition(":")
            if colon and not line.startswith(" "):
                fields[name] = value.strip()
        return fields or None

    def download(self, package: str, version: str) -> Path:
        """Fetches one .deb into the cache (apt verifies hash and signature) and returns its path."""
        debs = paths.cache("debs")
        pattern = f"{package}_{version.replace(':', '%3a')}_*.deb"
        have = sorted(debs.glob(pattern))
        if have:
            return have[0]
        if self.offline:
            raise HarnessError(f"--offline was given but {package} {version} is not cached; run once without it.")
        self._need_room()
        say.note(f"downloading {package} {version}")
        with tempfile.TemporaryDirectory(prefix=".incoming-", dir=debs) as work:
            self._run(["apt-get", "download", "-q", f"{package}={version}"], cwd=Path(work))
            got = next(Path(work).glob("*.deb"), None)
            if got is None:
                raise HarnessError(f"apt-get download {package}={version} produced no file.")
            return got.rename(debs / got.name)
