/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * The one door between the core and its environment.
 *
 * The core is compiled twice: into mockvisor.ko and into userspace.  What it needs from outside comes through this file
 * and nothing else: fixed-width types, memory functions, errno values, atomics, a clock, and access to guest memory that
 * other threads (vCPUs, the VMM) change at any moment.  See design.md, section 2.
 *
 * Each environment defines:
 *   u8 u16 u32 u64 s8 s16 s32 s64 bool size_t, memcpy memset memcmp memmove, E* errno values
 *   likely unlikely noinline __always_inline ARRAY_SIZE fallthrough
 *   env_le16 env_le32 env_le64             a little-endian field's value
 *   u64 env_now_ns(void)                    monotonic clock, nanoseconds (CLOCK_MONOTONIC in both, so they compare)
 *   struct env_lock, env_lock_init/take/drop   a lock that never sleeps; held for a few instructions only
 */
#ifndef MV_ENV_H
#define MV_ENV_H

#ifdef __KERNEL__
#include "../glue/env_linux.h"
#else
#include "env_host.h"
#endif

/* Data that another thread writes: one access, neither torn nor repeated. */
#define env_read_once(x) __atomic_load_n(&(x), __ATOMIC_RELAXED)
#define env_write_once(x, v) __atomic_store_n(&(x), (v), __ATOMIC_RELAXED)
#define env_load_acquire(p) __atomic_load_n((p), __ATOMIC_ACQUIRE)
#define env_store_release(p, v) __atomic_store_n((p), (v), __ATOMIC_RELEASE)
#define env_fetch_or(p, v) __atomic_fetch_or((p), (v), __ATOMIC_SEQ_CST)
#define env_fetch_and(p, v) __atomic_fetch_and((p), (v), __ATOMIC_SEQ_CST)
#define env_fetch_add(p, v) __atomic_fetch_add((p), (v), __ATOMIC_SEQ_CST)
#define env_xchg(p, v) __atomic_exchange_n((p), (v), __ATOMIC_SEQ_CST)
#define env_fence() __atomic_thread_fence(__ATOMIC_SEQ_CST)

/*
 * Guest memory.  Unaligned is allowed; an aligned access of up to 8 bytes is a single host access.  The guest's own data
 * races are the guest's business: ThreadSanitizer is told not to look here.
 */
#if defined(__SANITIZE_THREAD__) && !defined(__KERNEL__)
#define ENV_GUEST static __attribute__((__noinline__, __unused__, no_sanitize("thread")))
#else
#define ENV_GUEST static __always_inline
#endif

typedef u16 __attribute__((may_alias, aligned(1))) env_u16;
typedef u32 __attribute__((may_alias, aligned(1))) env_u32;
typedef u64 __attribute__((may_alias, aligned(1))) env_u64;

ENV_GUEST u8 env_guest_ld8(const void *p) { return *(const volatile u8 *)p; }
ENV_GUEST u16 env_guest_ld16(const void *p) { return *(const volatile env_u16 *)p; }
ENV_GUEST u32 env_guest_ld32(const void *p) { return *(const volatile env_u32 *)p; }
ENV_GUEST u64 env_guest_ld64(const void *p) { return *(const volatile env_u64 *)p; }
ENV_GUEST void env_guest_st8(void *p, u8 v) { *(volatile u8 *)p = v; }
ENV_GUEST void env_guest_st16(void *p, u16 v) { *(volatile env_u16 *)p = v; }
ENV_GUEST void env_guest_st32(void *p, u32 v) { *(volatile env_u32 *)p = v; }
ENV_GUEST void env_guest_st64(void *p, u64 v) { *(volatile env_u64 *)p = v; }

/* The same by size: 1, 2, 4 or 8 bytes. */
static inline u64 env_guest_load(const void *p, u32 size)
{
	switch (size) {
	case 1:
		return env_guest_ld8(p);
	case 2:
		return env_guest_ld16(p);
	case 4:
		return env_guest_ld32(p);
	default:
		return env_guest_ld64(p);
	}
}

static inline void env_guest_store(void *p, u32 size, u64 v)
{
	switch (size) {
	case 1:
		env_guest_st8(p, (u8)v);
		break;
	case 2:
		env_guest_st16(p, (u16)v);
		break;
	case 4:
		env_guest_st32(p, (u32)v);
		break;
	default:
		env_guest_st64(p, v);
	}
}

/* Compare and swap on guest memory, for LOCK and exclusives: p is naturally aligned; returns the old value. */
#define ENV_GUEST_CAS(bits, type)                                                                                        \
	ENV_GUEST type env_guest_cas##bits(void *p, type old, type new_)                                                  \
	{                                                                                                                 \
		__atomic_compare_exchange_n((type *)p, &old, new_, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);            \
		return old;                                                                                               \
	}
ENV_GUEST_CAS(8, u8)
ENV_GUEST_CAS(16, u16)
ENV_GUEST_CAS(32, u32)
ENV_GUEST_CAS(64, u64)
#undef ENV_GUEST_CAS

/* The same for 16 aligned bytes: true if they were old[0], old[1]; otherwise old[] gets what was found. */
#if defined(__SANITIZE_THREAD__) && !defined(__KERNEL__)
#define ENV_GUEST_WIDE static __attribute__((__noinline__, __unused__, no_sanitize("thread")))
#else
#define ENV_GUEST_WIDE static __attribute__((__noinline__, __unused__))
#endif
#ifdef __x86_64__
__attribute__((target("cx16")))
#endif
ENV_GUEST_WIDE bool env_guest_cas128(void *p, u64 old[2], u64 low, u64 high)
{
	unsigned __int128 want = (unsigned __int128)old[1] << 64 | old[0];
	unsigned __int128 found;

	found = __sync_val_compare_and_swap((unsigned __int128 *)p, want, (unsigned __int128)high << 64 | low);
	old[0] = (u64)found;
	old[1] = (u64)(found >> 64);
	return found == want;
}

#endif
