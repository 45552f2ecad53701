# SPDX-License-Identifier: GPL-2.0
# The AArch64 CPU's objects, for the top Kbuild.  exec_switch.c is the host's second build of exec.c, for tests.
mockvisor-y += kmod/core/cpu/arm64/arm64_state.o
mockvisor-y += kmod/core/cpu/arm64/decode.o
mockvisor-y += kmod/core/cpu/arm64/decode_memory.o
mockvisor-y += kmod/core/cpu/arm64/exception.o
mockvisor-y += kmod/core/cpu/arm64/exec.o
mockvisor-y += kmod/core/cpu/arm64/fetch.o
mockvisor-y += kmod/core/cpu/arm64/slow.o
mockvisor-y += kmod/core/cpu/arm64/integer.o
mockvisor-y += kmod/core/cpu/arm64/memory.o
mockvisor-y += kmod/core/cpu/arm64/exclusive.o
mockvisor-y += kmod/core/cpu/arm64/mmu.o
mockvisor-y += kmod/core/cpu/arm64/sysreg.o
mockvisor-y += kmod/core/cpu/arm64/system.o
