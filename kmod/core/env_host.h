/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* The door's userspace side: C library types and names in the kernel's spelling.  Include env.h, not this. */
#ifndef MV_ENV_HOST_H
#define MV_ENV_HOST_H

#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
/* the kernel's 64-bit types, so that code and printf formats agree in both builds */
typedef unsigned long long u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef long long s64;

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#ifndef __cplusplus
#define noinline __attribute__((noinline))
#define fallthrough __attribute__((fallthrough))
#endif

/* Fields that the ABI defines as little-endian.  Hosts are little-endian: the software CPUs rely on it anyway. */
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "little-endian hosts only"
#endif
#define env_le16(x) ((u16)(x))
#define env_le32(x) ((u32)(x))
#define env_le64(x) ((u64)(x))

static inline u64 env_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (u64)ts.tv_sec * 1000000000ull + (u64)ts.tv_nsec;
}

struct env_lock {
	u32 held;
};

static inline void env_lock_init(struct env_lock *l)
{
	l->held = 0;
}

static inline void env_lock_take(struct env_lock *l)
{
	while (__atomic_exchange_n(&l->held, 1, __ATOMIC_ACQUIRE))
		sched_yield();
}

static inline void env_lock_drop(struct env_lock *l)
{
	__atomic_store_n(&l->held, 0, __ATOMIC_RELEASE);
}

#endif
