# SPDX-License-Identifier: MIT
"""The plan that PID 1 carries out: keyword and value records, each ended by NUL (read by init/init.c)."""


class Plan:
    def __init__(self) -> None:
        self._out = bytearray()

    def put(self, keyword: str, value: str | int = "") -> None:
        for text in (keyword, str(value)):
            encoded = text.encode("utf-8", "surrogateescape")
            if b"\0" in encoded:
                raise ValueError("a NUL cannot be part of a command")
            self._out += encoded + b"\0"

    def suite(self, name: str, argv: list[str], timeout: int, env: dict[str, str] | None = None) -> None:
        """One program to run; `argv[0]` is its path in the guest."""
        self.put("suite", name)
        self.put("timeout", timeout)
        for key, value in (env or {}).items():
            self.put("env", f"{key}={value}")
        for arg in argv:
            self.put("arg", arg)
        self.put("run")

    def bytes(self) -> bytes:
        return bytes(self._out)
