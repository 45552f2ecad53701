// SPDX-License-Identifier: MIT
/*
 * Random encodings of each implemented group, one instruction at a time, on the software CPU and on Unicorn: registers,
 * NZCV, memory, and whether and how the instruction faults must agree.
 *
 *   MV_SEED=<n>   the seed (printed on failure)      MV_COUNT=<n>   cases per group
 */
#include <array>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <unicorn/unicorn.h>

extern "C" {
#include "core/cpu/arm64/arm64.h"
}

namespace {

constexpr uint64_t code_at = 0x400000, code_size = 0x100000, data_at = 0x100000, data_size = 0x20000;
constexpr uint64_t vectors = 0x80000;

struct Group {
	const char *name;
	uint32_t value, mask;
	bool memory;
	bool (*skip)(uint32_t w);	// encodings that cannot be compared, and why
};

uint32_t bits(uint32_t w, int high, int low)
{
	return (w >> low) & ((2u << (high - low)) - 1);
}

bool none(uint32_t)
{
	return false;
}

// Extensions that Unicorn's "max" core has and ours does not: FlagM, pointer authentication, MTE, LRCPC.
bool skip_two_sources(uint32_t w)
{
	uint32_t op = bits(w, 15, 10);
	return op < 2 || op == 4 || op == 5 || op == 12;
}

bool skip_one_source(uint32_t w)
{
	return bits(w, 20, 16) != 0 || (w >> 29 & 1);
}

// Loads with writeback into their own base, and pairs that load one register twice, are CONSTRAINED UNPREDICTABLE.
bool skip_single(uint32_t w)
{
	uint32_t rt = bits(w, 4, 0), rn = bits(w, 9, 5);
	return (w >> 10 & 1) && !(w >> 24 & 1) && rt == rn;
}

bool skip_pair(uint32_t w)
{
	uint32_t rt = bits(w, 4, 0), rt2 = bits(w, 14, 10), rn = bits(w, 9, 5);
	return ((w >> 22 & 1) && rt == rt2) || ((w >> 23 & 1) && (rn == rt || rn == rt2)) ||
	       bits(w, 31, 30) == 1;	// STGP; and LDPSW, which has a row of its own
}

bool skip_ldpsw(uint32_t w)
{
	return bits(w, 24, 23) == 0 || skip_pair(w & 0x3fffffff);
}

// Exclusive pairs of one register twice; status register equal to data or base; SBZ and SBO fields; LORegion forms;
// STXR, whose success needs the load before it (unit tests); Unicorn 2.0.1 gets 32-bit CASP wrong for odd registers.
bool skip_exclusive(uint32_t w)
{
	bool o2 = w >> 23 & 1, load = w >> 22 & 1, o1 = w >> 21 & 1, o0 = w >> 15 & 1;
	uint32_t rs = bits(w, 20, 16), rt = bits(w, 4, 0), rt2 = bits(w, 14, 10);
	if (o2 && !o1)
		return !o0 || rs != 31 || rt2 != 31;
	if (o2 && o1)
		return rt2 != 31;
	if (o1 && !(w >> 31))
		return rt2 != 31 || (rs & 1) || (rt & 1) || rs == 30 || rt == 30;
	return !load || rs != 31 || (o1 ? rt == rt2 : rt2 != 31);
}

// LDAPR is another extension.  Minimum and maximum below 64 bits: Unicorn 2.0.1 compares the whole source register, without
// extending the signed ones; those are in the unit tests.
bool skip_atomic(uint32_t w)
{
	uint32_t opc = bits(w, 14, 12);
	return ((w >> 15 & 1) && opc != 0) || (opc >= 4 && bits(w, 31, 30) < 3);
}

bool skip_prefetch_literal(uint32_t w)
{
	return bits(w, 31, 30) == 3;
}

// The reference takes any offset form of unscaled PRFM; LDTR is compared at EL1, where both use EL1's rights without MMU.
const Group groups[] = {
	{"adr", 0x10000000, 0x1f000000, false, none},
	{"add_immediate", 0x11000000, 0x1f800000, false, none},
	{"logical_immediate", 0x12000000, 0x1f800000, false, none},
	{"move_wide", 0x12800000, 0x1f800000, false, none},
	{"bitfield", 0x13000000, 0x1f800000, false, none},
	{"extract", 0x13800000, 0x1f800000, false, none},
	{"logical_shifted", 0x0a000000, 0x1f000000, false, none},
	{"add_shifted", 0x0b000000, 0x1f200000, false, none},
	{"add_extended", 0x0b200000, 0x1f200000, false, none},
	{"add_carry", 0x1a000000, 0x1fe0fc00, false, none},
	{"compare_conditional", 0x3a400000, 0x3fe00410, false, none},
	{"select", 0x1a800000, 0x1fe00000, false, none},
	{"two_sources", 0x1ac00000, 0x7fe0c000, false, skip_two_sources},
	{"one_source", 0x5ac00000, 0x5fffc000, false, skip_one_source},
	{"three_sources", 0x1b000000, 0x1f000000, false, none},
	{"branch", 0x14000000, 0x7c000000, false, none},
	{"compare_branch", 0x34000000, 0x7e000000, false, none},
	{"test_branch", 0x36000000, 0x7e000000, false, none},
	{"conditional_branch", 0x54000000, 0xff000010, false, none},
	{"branch_register", 0xd61f0000, 0xff9ffc1f, false, none},
	{"load_store_unsigned", 0x39000000, 0x3f000000, true, none},
	{"load_store_imm9", 0x38000000, 0x3f200000, true, skip_single},
	{"load_store_register", 0x38200800, 0x3f200c00, true, none},
	{"load_store_pair", 0x28000000, 0x3e000000, true, skip_pair},
	{"load_pair_signed", 0x68400000, 0xfe400000, true, skip_ldpsw},
	{"load_literal", 0x18000000, 0x3f000000, true, skip_prefetch_literal},
	{"exclusive", 0x08000000, 0x3f000000, true, skip_exclusive},
	{"atomic", 0x38200000, 0x3f200c00, true, skip_atomic},
};

uint64_t env_number(const char *name, uint64_t otherwise)
{
	const char *text = std::getenv(name);
	return text ? std::strtoull(text, nullptr, 0) : otherwise;
}

struct Outcome {
	std::array<uint64_t, 32> x{};	// x[31]: SP
	uint64_t pc = 0, nzcv = 0;
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
		s.sp_el1 = in.x[31];
		s.pc = in.pc;
		s.pstate = in.nzcv | ARM64_PSTATE_DAIF | ARM64_MODE_EL1H;
		s.vbar_el1 = vectors;
		s.sctlr_el1 = 0;
		arm64_state_set(cpu_.get(), &s);
		enum hv_exit_kind kind = arm64_step(cpu_.get(), 1);
		arm64_state_get(cpu_.get(), &s);
		Outcome out;
		std::copy_n(s.x, 31, out.x.begin());
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
	Theirs()
	{
		EXPECT_EQ(uc_open(UC_ARCH_ARM64, UC_MODE_ARM, &uc_), UC_ERR_OK);
		EXPECT_EQ(uc_ctl_set_cpu_model(uc_, UC_CPU_ARM64_MAX), UC_ERR_OK);
		EXPECT_EQ(uc_hook_add(uc_, &hook_, UC_HOOK_INTR, reinterpret_cast<void *>(&interrupt), this, 1, 0), UC_ERR_OK);
		EXPECT_EQ(uc_mem_map_ptr(uc_, code_at, code_size, UC_PROT_ALL, memory.code.get()), UC_ERR_OK);
		EXPECT_EQ(uc_mem_map_ptr(uc_, data_at, data_size, UC_PROT_READ | UC_PROT_WRITE, memory.data.get()), UC_ERR_OK);
		for (int i = 0; i < 32; i++) {
			ids_[i] = i == 31 ? UC_ARM64_REG_SP : i == 30 ? UC_ARM64_REG_X30 : i == 29 ? UC_ARM64_REG_X29 :
								     UC_ARM64_REG_X0 + i;
		}
	}
	~Theirs() { uc_close(uc_); }

	Outcome run(const Outcome &in)
	{
		Outcome out = in;
		for (int i = 0; i < 32; i++)
			uc_reg_write(uc_, ids_[i], &in.x[i]);
		uc_reg_write(uc_, UC_ARM64_REG_NZCV, &in.nzcv);
		interrupt_ = 0;
		uc_ctl_remove_cache(uc_, in.pc, in.pc + 4);	// what it translated ahead of the last case
		uc_err e = uc_emu_start(uc_, in.pc, ~0ull, 0, 1);
		for (int i = 0; i < 32; i++)
			uc_reg_read(uc_, ids_[i], &out.x[i]);
		uc_reg_read(uc_, UC_ARM64_REG_NZCV, &out.nzcv);
		out.nzcv &= 0xf0000000;
		uc_reg_read(uc_, UC_ARM64_REG_PC, &out.pc);
		switch (e) {
		case UC_ERR_OK:
		case UC_ERR_FETCH_UNMAPPED:
		case UC_ERR_FETCH_PROT:	// where a branch went: not this instruction's fault
			break;
		case UC_ERR_INSN_INVALID:
			out.fault = "undefined";
			break;
		case UC_ERR_READ_UNMAPPED:
		case UC_ERR_WRITE_UNMAPPED:
		case UC_ERR_READ_UNALIGNED:
		case UC_ERR_WRITE_UNALIGNED:
			out.fault = "data abort";
			break;
		default:
			out.fault = uc_strerror(e);
		}
		if (interrupt_)			// QEMU's EXCP_UDEF, EXCP_DATA_ABORT
			out.fault = interrupt_ == 1 ? "undefined" : interrupt_ == 4 ? "data abort" : out.fault;
		return out;
	}

	Memory memory;

private:
	static void interrupt(uc_engine *uc, uint32_t number, void *self)
	{
		static_cast<Theirs *>(self)->interrupt_ = number;
		uc_emu_stop(uc);
	}

	uint32_t interrupt_ = 0;
	uc_hook hook_ = 0;
	uc_engine *uc_ = nullptr;
	std::array<int, 32> ids_{};
};

[[maybe_unused]] void PrintTo(const Group &group, std::ostream *out)
{
	*out << group.name;
}

class Arm64Random : public ::testing::TestWithParam<Group> {};

std::string describe(uint32_t w, const Outcome &in, const Outcome &a, const Outcome &b)
{
	char line[160];
	std::snprintf(line, sizeof(line), "word %08x at %llx\n", w, (unsigned long long)in.pc);
	std::string text = line;
	for (int i = 0; i < 32; i++) {
		if (a.x[i] == b.x[i] && i != (int)bits(w, 9, 5) && i != (int)bits(w, 20, 16))
			continue;
		std::snprintf(line, sizeof(line), "x%-2d was %016llx ours %016llx theirs %016llx\n", i, (unsigned long long)in.x[i],
			      (unsigned long long)a.x[i], (unsigned long long)b.x[i]);
		text += line;
	}
	std::snprintf(line, sizeof(line), "pc ours %llx theirs %llx, nzcv %llx: ours %llx theirs %llx, fault ours '%s' theirs '%s'",
		      (unsigned long long)a.pc, (unsigned long long)b.pc, (unsigned long long)in.nzcv,
		      (unsigned long long)a.nzcv, (unsigned long long)b.nzcv, a.fault.c_str(), b.fault.c_str());
	return text + line;
}

TEST_P(Arm64Random, AgreesWithUnicorn)
{
	const Group &group = GetParam();
	uint64_t seed = env_number("MV_SEED", 20261121), count = env_number("MV_COUNT", 4000);
	SCOPED_TRACE("MV_SEED=" + std::to_string(seed));
	std::mt19937_64 random(seed ^ group.value);
	Ours ours;
	Theirs theirs;
	static const uint64_t corners[] = {0, 1, ~0ull, 1ull << 63, (1ull << 63) - 1, 0x80000000, 0x7fffffff, 0xffffffff, 63, 64};
	unsigned differences = 0;

	for (size_t i = 0; i < data_size; i++)
		ours.memory.data.get()[i] = theirs.memory.data.get()[i] = uint8_t(random());
	const uint32_t nop = 0xd503201f;
	for (size_t i = 0; i < code_size; i += 4) {
		std::memcpy(ours.memory.code.get() + i, &nop, 4);
		std::memcpy(theirs.memory.code.get() + i, &nop, 4);
	}
	for (uint64_t n = 0; n < count; n++) {
		uint32_t w = (uint32_t(random()) & ~group.mask) | group.value;
		if (group.skip(w))
			continue;
		Outcome in;
		in.pc = code_at + 0x1000 + 4 * n % (code_size - 0x2000);
		in.nzcv = random() & 0xf0000000;
		for (int i = 0; i < 32; i++) {
			uint64_t kind = random() % 4;
			if (group.memory && (i == 31 || i == (int)bits(w, 9, 5)))
				in.x[i] = data_at + data_size / 2 + (random() % 0x800) * (kind ? 16 : 1);
			else if (group.memory && i == (int)bits(w, 20, 16))
				in.x[i] = kind ? random() % 0x1000 : random() % 64 - 32;
			else
				in.x[i] = kind ? random() : corners[random() % std::size(corners)];
		}
		if (group.memory)
			in.x[31] &= ~15ull;
		// LDAR and STLR: an unaligned address faults (B2.5.2); Unicorn 2.0.1 lets it pass.  First seen with MV_SEED=15.
		if ((w & 0x3f800000) == 0x08800000)
			in.x[bits(w, 9, 5)] &= ~15ull;
		if (group.value == 0xd61f0000)
			in.x[bits(w, 9, 5)] = code_at + (random() % 1000) * 4;
		std::memcpy(ours.memory.code.get() + (in.pc - code_at), &w, 4);
		std::memcpy(theirs.memory.code.get() + (in.pc - code_at), &w, 4);
		Outcome a = ours.run(in), b = theirs.run(in);
		if (!a.fault.empty() && !b.fault.empty())
			a.pc = b.pc = 0;	// Unicorn's PC is not exact after a fault
		bool same_memory = !group.memory ||
				   !std::memcmp(ours.memory.data.get(), theirs.memory.data.get(), data_size);
		if (a == b && same_memory)
			continue;
		ADD_FAILURE() << describe(w, in, a, b) << (same_memory ? "" : "\nmemory differs");
		std::memcpy(theirs.memory.data.get(), ours.memory.data.get(), data_size);
		if (++differences == 5)
			break;
	}
}

INSTANTIATE_TEST_SUITE_P(Groups, Arm64Random, ::testing::ValuesIn(groups), [](const auto &info) { return info.param.name; });

}
