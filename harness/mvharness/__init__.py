# SPDX-License-Identifier: MIT
"""Boots stock kernels in QEMU, loads mockvisor.ko there and runs suites or commands beside it."""
