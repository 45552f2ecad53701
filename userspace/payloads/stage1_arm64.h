/* SPDX-License-Identifier: MIT */
/* AArch64 stage 1: descriptors of the 4 KiB granule (Arm ARM, D8.3).  MAIR_EL1's index 0 is Normal memory, index 1 Device memory. */
#ifndef MV_GUEST_STAGE1_ARM64_H
#define MV_GUEST_STAGE1_ARM64_H

#define SYSREG_WRITE(name, value) __asm__ volatile("msr " #name ", %0" : : "r"((u64)(value)) : "memory")

#define BLOCK 1ull
#define TABLE 3ull
#define LEAF 3ull		/* at level 3 */
#define DEVICE_MEMORY (1ull << 2)
#define USER (1ull << 6)
#define READ_ONLY (1ull << 7)
#define INNER_SHAREABLE (3ull << 8)
#define ACCESSED (1ull << 10)
#define NOT_GLOBAL (1ull << 11)
#define CONTIGUOUS (1ull << 52)
#define NORMAL (INNER_SHAREABLE | ACCESSED)

#define MEMORY_KINDS 0x00ffull	/* for MAIR_EL1 */

#endif
