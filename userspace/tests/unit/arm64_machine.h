// SPDX-License-Identifier: MIT
// A bare AArch64 machine for the unit tests, and the few encodings they need.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <vector>

#include <gtest/gtest.h>

extern "C" {
#include "core/cpu/arm64/arm64.h"
}

namespace arm64 {

// a fuzzer wants less of it
#ifndef MV_TEST_RAM
#define MV_TEST_RAM 0x400000
#endif
constexpr uint64_t ram_at = 0x40000000, ram_size = MV_TEST_RAM, device_at = 0x9000000, vectors = ram_at + 0x10000;

constexpr uint32_t nop = 0xd503201f, isb = 0xd5033fdf, hvc = 0xd4000002, smc = 0xd4000003, svc = 0xd4000001,
		   wfi = 0xd503207f, eret = 0xd69f03e0, self = 0x14000000, udf = 0, brk7 = 0xd42000e0;
constexpr uint32_t movz(unsigned rd, unsigned imm, unsigned sh = 0) { return 0xd2800000 | (sh / 16) << 21 | imm << 5 | rd; }
constexpr uint32_t movk(unsigned rd, unsigned imm, unsigned sh) { return 0xf2800000 | (sh / 16) << 21 | imm << 5 | rd; }
constexpr uint32_t add(unsigned rd, unsigned rn, unsigned imm) { return 0x91000000 | imm << 10 | rn << 5 | rd; }
constexpr uint32_t subs(unsigned rd, unsigned rn, unsigned imm) { return 0xf1000000 | imm << 10 | rn << 5 | rd; }
constexpr uint32_t b(int words) { return 0x14000000 | (uint32_t(words) & 0x3ffffff); }
constexpr uint32_t b_ne(int words) { return 0x54000001 | (uint32_t(words) & 0x7ffff) << 5; }
constexpr uint32_t cbnz_w(unsigned rt, int words) { return 0x35000000 | (uint32_t(words) & 0x7ffff) << 5 | rt; }
constexpr uint32_t adr(unsigned rd, int bytes)
{
	return 0x10000000 | (uint32_t(bytes) & 3) << 29 | (uint32_t(bytes >> 2) & 0x7ffff) << 5 | rd;
}
constexpr uint32_t ret = 0xd65f03c0;
constexpr uint32_t br(unsigned rn) { return 0xd61f0000 | rn << 5; }
constexpr uint32_t ldr_x(unsigned rt, unsigned rn, unsigned offset = 0) { return 0xf9400000 | (offset / 8) << 10 | rn << 5 | rt; }
constexpr uint32_t str_x(unsigned rt, unsigned rn, unsigned offset = 0) { return 0xf9000000 | (offset / 8) << 10 | rn << 5 | rt; }
constexpr uint32_t str_w(unsigned rt, unsigned rn) { return 0xb9000000 | rn << 5 | rt; }
constexpr uint32_t mrs(unsigned rt, unsigned op0, unsigned op1, unsigned crn, unsigned crm, unsigned op2)
{
	return 0xd5200000 | op0 << 19 | op1 << 16 | crn << 12 | crm << 8 | op2 << 5 | rt;
}
constexpr uint32_t msr(unsigned rt, unsigned op0, unsigned op1, unsigned crn, unsigned crm, unsigned op2)
{
	return mrs(rt, op0, op1, crn, crm, op2) & ~0x200000u;
}

struct Machine {
	std::unique_ptr<uint8_t, decltype(&std::free)> ram{static_cast<uint8_t *>(std::aligned_alloc(4096, ram_size)), &std::free};
	std::unique_ptr<hv_memmap> own_map = std::make_unique<hv_memmap>();
	hv_memmap *map = own_map.get();
	std::vector<uint8_t> arena = std::vector<uint8_t>(1 << 20);
	std::unique_ptr<arm64_cpu, decltype(&std::free)> cpu{static_cast<arm64_cpu *>(std::calloc(1, sizeof(arm64_cpu))), &std::free};
	arm64_state s{};

	Machine()
	{
		std::memset(ram.get(), 0, ram_size);
		hv_memmap_init(map);
		hv_memmap_add(map, ram_at, ram_size, ram.get(), nullptr, HV_MEM_RWX);
		start();
	}
	// Another CPU of the same machine.
	explicit Machine(Machine &first) : ram(nullptr, &std::free), map(first.map) { start(1); }

	void start(uint32_t id = 0)
	{
		arm64_init(cpu.get(), map, id, arena.data(), arena.size(), arena.size());
		cpu->device_limit = 0x40000000;
		get();
		s.pc = ram_at;
		s.vbar_el1 = vectors;
		s.sp_el1 = ram_at + ram_size;
		set();
	}
	void get() { arm64_state_get(cpu.get(), &s); }
	void set() { arm64_state_set(cpu.get(), &s); }
	uint8_t *host(uint64_t gpa) { return ram.get() + (gpa - ram_at); }
	void put(uint64_t gpa, std::initializer_list<uint32_t> words)
	{
		for (uint32_t w : words) {
			std::memcpy(host(gpa), &w, 4);
			gpa += 4;
		}
	}
	void put64(uint64_t gpa, uint64_t v) { std::memcpy(host(gpa), &v, 8); }
	uint64_t get64(uint64_t gpa)
	{
		uint64_t v;
		std::memcpy(&v, host(gpa), 8);
		return v;
	}
	enum hv_exit_kind step(uint64_t budget = 1000)
	{
		enum hv_exit_kind kind = arm64_step(cpu.get(), budget);
		get();
		return kind;
	}
	hv_exit &exit() { return cpu->hv.exit; }
	// Exception class and status code of the last exception.
	unsigned ec() const { return unsigned(s.esr_el1 >> 26); }
	unsigned iss() const { return unsigned(s.esr_el1 & 0x1ffffff); }
};

}
