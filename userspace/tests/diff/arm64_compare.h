// SPDX-License-Identifier: MIT
// One AArch64 instruction on the software CPU and on Unicorn: the two machines, and what is compared of them.
#pragma once

#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <unicorn/unicorn.h>

#include "arm64_groups.h"

extern "C" {
#include "core/cpu/arm64/arm64.h"
}

namespace arm64_compare {

constexpr uint64_t code_at = 0x400000, code_size = 0x100000, data_at = 0x100000, data_size = 0x20000;
constexpr uint64_t vectors = 0x80000;

using arm64_groups::bits;

inline uint64_t env_number(const char *name, uint64_t otherwise)
{
	const char *text = std::getenv(name);
	return text ? std::strtoull(text, nullptr, 0) : otherwise;
}

struct Vector {
	uint64_t d[2] = {0, 0};
	bool operator==(const Vector &) const = default;
};

struct Outcome {
	std::array<uint64_t, 32> x{};	// x[31]: SP
	std::array<Vector, 32> v{};
	uint64_t pc = 0, nzcv = 0;
	uint32_t fpcr = 0, fpsr = 0;
	std::string fault;
	bool operator==(const Outcome &) const = default;
};

// Page-aligned memory, twice.
struct Memory {
	std::unique_ptr<uint8_t, decltype(&std::free)> data{static_cast<uint8_t *>(std::aligned_alloc(4096, data_size)),
							    &std::free};
	std::unique_ptr<uint8_t, decltype(&std::free)> code{static_cast<uint8_t *>(std::aligned_alloc(4096, code_size)),
							    &std::free};
};

class Ours {
public:
	Ours()
	{
		hv_memmap_init(map_.get());
		hv_memmap_add(map_.get(), code_at, code_size, memory.code.get(), nullptr, HV_MEM_RWX);
		hv_memmap_add(map_.get(), data_at, data_size, memory.data.get(), nullptr, HV_MEM_RWX);
		arm64_init(cpu_.get(), map_.get(), 0, arena_.data(), arena_.size(), arena_.size());
	}

	Outcome run(const Outcome &in)
	{
		arm64_state s;
		arm64_state_get(cpu_.get(), &s);
		std::copy_n(in.x.begin(), 31, s.x);
		std::memcpy(s.v, in.v.data(), sizeof(s.v));
		s.fpcr = in.fpcr;
		s.fpsr = in.fpsr;
		s.sp_el1 = in.x[31];
		s.pc = in.pc;
		s.pstate = in.nzcv | ARM64_PSTATE_DAIF | ARM64_MODE_EL1H;
		s.vbar_el1 = vectors;
		s.cpacr_el1 = 3 << 20;
		s.sctlr_el1 = 0;
		arm64_state_set(cpu_.get(), &s);
		enum hv_exit_kind kind = arm64_step(cpu_.get(), 1);
		arm64_state_get(cpu_.get(), &s);
		Outcome out;
		std::copy_n(s.x, 31, out.x.begin());
		std::memcpy(out.v.data(), s.v, sizeof(s.v));
		out.fpcr = s.fpcr;
		out.fpsr = s.fpsr;
		out.x[31] = s.sp_el1;
		out.nzcv = s.pstate & 0xf0000000;
		out.pc = s.pc;
		if (kind != HV_EXIT_BUDGET) {
			out.fault = hv_exit_kind_name(kind);
		} else if (s.pc == vectors + 0x200) {
			uint64_t ec = s.esr_el1 >> 26;
			out.pc = s.elr_el1;
			out.nzcv = s.spsr_el1 & 0xf0000000;
			out.fault = ec == 0 ? "undefined" : ec == 0x25 ? "data abort" : "ec " + std::to_string(ec);
		}
		return out;
	}

	Memory memory;

private:
	std::vector<uint8_t> arena_ = std::vector<uint8_t>(1 << 20);
	std::unique_ptr<hv_memmap> map_ = std::make_unique<hv_memmap>();
	std::unique_ptr<arm64_cpu, decltype(&std::free)> cpu_{
		static_cast<arm64_cpu *>(std::calloc(1, sizeof(arm64_cpu))), &std::free};
};

class Theirs {
public:
	// The "max" core has Armv8.1 and more, the Cortex-A57 is Armv8.0 with the cryptographic extension.
	explicit Theirs(bool armv80 = false)
	{
		static const uint64_t cpacr = 3 << 20;
		EXPECT_EQ(uc_open(UC_ARCH_ARM64, UC_MODE_ARM, &uc_), UC_ERR_OK);
		EXPECT_EQ(uc_ctl_set_cpu_model(uc_, armv80 ? UC_CPU_ARM64_A57 : UC_CPU_ARM64_MAX), UC_ERR_OK);
		EXPECT_EQ(uc_hook_add(uc_, &hook_, UC_HOOK_INTR, reinterpret_cast<void *>(&interrupt), this, 1, 0), UC_ERR_OK);
		EXPECT_EQ(uc_mem_map_ptr(uc_, code_at, code_size, UC_PROT_ALL, memory.code.get()), UC_ERR_OK);
		EXPECT_EQ(uc_mem_map_ptr(uc_, data_at, data_size, UC_PROT_READ | UC_PROT_WRITE, memory.data.get()), UC_ERR_OK);
		EXPECT_EQ(uc_reg_write(uc_, UC_ARM64_REG_CPACR_EL1, &cpacr), UC_ERR_OK);
		for (int i = 0; i < 32; i++) {
			add(i == 31 ? UC_ARM64_REG_SP : i == 30 ? UC_ARM64_REG_X30 : i == 29 ? UC_ARM64_REG_X29 : UC_ARM64_REG_X0 + i,
			    &state_.x[i]);
			add(UC_ARM64_REG_Q0 + i, &state_.v[i]);
		}
		add(UC_ARM64_REG_NZCV, &state_.nzcv);
		add(UC_ARM64_REG_FPCR, &state_.fpcr);
		add(UC_ARM64_REG_FPSR, &state_.fpsr);
		add(UC_ARM64_REG_PC, &state_.pc);
	}
	~Theirs() { uc_close(uc_); }
	Theirs(const Theirs &) = delete;
	Theirs &operator=(const Theirs &) = delete;

	// @fresh: the code at in.pc is not what it was when this was called last
	Outcome run(const Outcome &in, bool fresh = true)
	{
		state_ = in;
		state_.fault.clear();
		uc_reg_write_batch(uc_, ids_.data(), places_.data(), int(ids_.size()));
		interrupt_ = 0;
		if (fresh)
			uc_ctl_remove_cache(uc_, in.pc, in.pc + 4);	// what it translated ahead of the last case
		uc_err e = uc_emu_start(uc_, in.pc, ~0ull, 0, 1);
		uc_reg_read_batch(uc_, ids_.data(), places_.data(), int(ids_.size()));
		state_.nzcv &= 0xf0000000;
		switch (e) {
		case UC_ERR_OK:
		case UC_ERR_FETCH_UNMAPPED:
		case UC_ERR_FETCH_PROT:	// where a branch went: not this instruction's fault
			break;
		case UC_ERR_INSN_INVALID:
			state_.fault = "undefined";
			break;
		case UC_ERR_READ_UNMAPPED:
		case UC_ERR_WRITE_UNMAPPED:
		case UC_ERR_READ_UNALIGNED:
		case UC_ERR_WRITE_UNALIGNED:
			state_.fault = "data abort";
			break;
		default:
			state_.fault = uc_strerror(e);
		}
		if (interrupt_)			// QEMU's EXCP_UDEF, EXCP_DATA_ABORT
			state_.fault = interrupt_ == 1 ? "undefined" : interrupt_ == 4 ? "data abort" : state_.fault;
		return state_;
	}

	Memory memory;

private:
	void add(int id, void *place)
	{
		ids_.push_back(id);
		places_.push_back(place);
	}
	static void interrupt(uc_engine *uc, uint32_t number, void *self)
	{
		static_cast<Theirs *>(self)->interrupt_ = number;
		uc_emu_stop(uc);
	}

	uint32_t interrupt_ = 0;
	uc_hook hook_ = 0;
	uc_engine *uc_ = nullptr;
	Outcome state_;
	std::vector<int> ids_;
	std::vector<void *> places_;
};

// Registers that differ, and those that fields of the word name.
inline std::string describe(uint32_t w, const Outcome &in, const Outcome &a, const Outcome &b)
{
	using ull = unsigned long long;
	char line[240];
	std::snprintf(line, sizeof(line), "word %08x at %llx\n", w, ull(in.pc));
	std::string text = line;
	for (int i = 0; i < 32; i++) {
		bool named = i == (int)bits(w, 9, 5) || i == (int)bits(w, 20, 16);
		if (a.x[i] != b.x[i] || named) {
			std::snprintf(line, sizeof(line), "x%-2d was %016llx ours %016llx theirs %016llx\n", i, ull(in.x[i]), ull(a.x[i]), ull(b.x[i]));
			text += line;
		}
		if (a.v[i] != b.v[i] || (named && bits(w, 27, 25) == 7)) {
			std::snprintf(line, sizeof(line), "v%-2d was %016llx:%016llx ours %016llx:%016llx theirs %016llx:%016llx\n", i, ull(in.v[i].d[1]),
				      ull(in.v[i].d[0]), ull(a.v[i].d[1]), ull(a.v[i].d[0]), ull(b.v[i].d[1]), ull(b.v[i].d[0]));
			text += line;
		}
	}
	std::snprintf(line, sizeof(line), "pc ours %llx theirs %llx, nzcv %llx: ours %llx theirs %llx, fpcr %08x, fpsr %08x: ours %08x theirs %08x, ",
		      ull(a.pc), ull(b.pc), ull(in.nzcv), ull(a.nzcv), ull(b.nzcv), in.fpcr, in.fpsr, a.fpsr, b.fpsr);
	return text + line + "fault ours '" + a.fault + "' theirs '" + b.fault + "'";
}

}
