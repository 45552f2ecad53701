// SPDX-License-Identifier: MIT
// docs/arm64-opcodes.md is what the lists say (MV_WRITE_DOCS=1 writes it), and the CPU does what they say: a word that is
// unallocated or absent is undefined, one that is implemented is not.
#include <fstream>
#include <functional>
#include <random>
#include <sstream>
#include <string>

#include "arm64_machine.h"

#define noinline __attribute__((noinline))
extern "C" {
#include "core/cpu/arm64/opcodes.h"
#include "core/cpu/arm64/simd/simd.h"
}

namespace {

struct Code {
	const char *group, *name;
	uint32_t value, mask;
	std::string status;
	bool absent() const { return status != "WHOLE" && status != "PART"; }
};

const Code codes[] = {
#define X(name, value, mask, status) {GROUP, name, value, mask, #status},
#define GROUP "Data processing, immediate"
	ARM64_CODES_IMMEDIATE(X)
#undef GROUP
#define GROUP "Branches, exceptions, system"
	ARM64_CODES_BRANCH(X)
#undef GROUP
#define GROUP "Loads and stores"
	ARM64_CODES_MEMORY(X)
#undef GROUP
#define GROUP "Data processing, register"
	ARM64_CODES_REGISTER(X)
#undef GROUP
#define GROUP "Reserved, SVE, SME"
	ARM64_CODES_OTHER(X)
#undef GROUP
#undef X
};

const char *const vec_groups[] = {
#define G(group, title) title,
	ARM64_VEC_GROUPS(G)
#undef G
};

std::string pattern(uint32_t value, uint32_t mask)
{
	std::string text;
	for (int bit = 31; bit >= 0; bit--) {
		text += mask >> bit & 1 ? value >> bit & 1 ? '1' : '0' : 'x';
		if (bit % 8 == 0 && bit)
			text += ' ';
	}
	return text;
}

std::string sizes(const arm64_vec_row &r)
{
	static const char *const vector[] = {"8B", "4H", "2S", "1D", "16B", "8H", "4S", "2D"}, *const scalar[] = {"B", "H", "S", "D"};
	static const char *const precision[] = {"single", "double", "", "half"};
	std::string text;
	if (r.group == ARM64_G_FP) {
		for (int i = 0; i < 4; i++)
			text += r.sizes != SZ_ANY && r.sizes >> i & 1 ? std::string(text.empty() ? "" : " ") + precision[i] : "";
		return text;
	}
	if (r.group == ARM64_G_CRYPTO || r.group == ARM64_G_IMMEDIATE || (r.group == ARM64_G_MOVE && r.kind != VK_PERMUTE) || r.kind == VK_ABSENT)
		return "";
	bool fp = (r.kind == VK_FP3 || r.kind == VK_FP2 || r.kind == VK_FP_0 || r.kind == VK_0_FP) && !(r.sizes & 0x44 && r.sizes == SZ_S);
	if (fp || arm64_vec_rows[r.base].kind == VK_FP3)
		return std::string(r.sizes & 0x0f ? "2S " : "") + (r.sizes ? "4S " : "") + (r.sizes & 0xa0 ? "2D " : "") + (r.scalar ? "S D" : "");
	for (int i = 0; i < 8; i++)
		text += r.sizes >> i & 1 ? std::string(vector[i]) + " " : "";
	for (int i = 0; i < 4; i++)
		text += r.scalar >> i & 1 ? std::string(scalar[i]) + " " : "";
	return text;
}

std::string document()
{
	std::ostringstream o;
	o << "<!-- SPDX-License-Identifier: MIT -->\n# A64 opcodes\n\nMade from the decoder's lists (`MV_WRITE_DOCS=1 mv_unit_tests --gtest_filter=Arm64Opcodes.*`), and compared by that test,\n"
	     "which also runs every row. What no row matches is unallocated. Absent: the ID registers say so. Both are undefined\n(ESR_EL1.EC 0). Implemented in part: some fields have reserved values.\n";
	std::string group;
	for (const Code &c : codes) {
		if (group != c.group) {
			group = c.group;
			o << "\n## " << group << "\n\n| instruction | encoding | status |\n| --- | --- | --- |\n";
		}
		o << "| " << c.name << " | `" << pattern(c.value, c.mask) << "` | "
		  << (c.status == "WHOLE" ? "implemented" : c.status == "PART" ? "implemented in part" : "absent: " + c.status) << " |\n";
	}
	for (int g = 0; g < ARM64_GROUPS; g++) {
		o << "\n## " << vec_groups[g] << "\n\n| instruction | encoding | operands | status |\n| --- | --- | --- | --- |\n";
		for (const arm64_vec_row &r : arm64_vec_rows) {
			if (!r.name || r.group != g || r.mask == ~0u)
				continue;
			std::string size = sizes(r);
			while (!size.empty() && size.back() == ' ')
				size.pop_back();
			o << "| " << r.name << " | `" << pattern(r.value, r.mask) << "` | " << size << " | "
			  << (r.kind == VK_ABSENT ? std::string("absent: ") + arm64_vec_rows[r.base].name : "implemented") << " |\n";
		}
	}
	return o.str();
}

enum What { undefined, defined, either };

bool is_vector(uint32_t w)
{
	return (w >> 25 & 7) == 7;
}

What expected(uint32_t w)
{
	if (is_vector(w))
		return arm64_vec_decode(w) ? defined : undefined;
	What what = undefined;
	for (const Code &c : codes) {
		if ((w & c.mask) != c.value)
			continue;
		if (c.absent())
			return undefined;
		what = c.status == "WHOLE" ? defined : either;
	}
	return what;
}

// Runs words in a kernel whose registers are all zero: addresses are not mapped, which is no matter here.
struct Runner : arm64::Machine {
	Runner()
	{
		s.cpacr_el1 = 3 << 20;
		s.sp_el1 = arm64::ram_at + 0x100000;
		first = s;
	}
	bool is_undefined(uint32_t w)
	{
		put(arm64::ram_at, {w});
		s = first;
		s.esr_el1 = ~0ull;
		set();
		arm64_step(cpu.get(), 1);
		get();
		return s.pc == arm64::vectors + 0x200 && s.esr_el1 == 0x02000000;
	}
	arm64_state first;
};

uint64_t seed()
{
	const char *text = std::getenv("MV_SEED");
	return text ? std::strtoull(text, nullptr, 0) : 20261121;
}

}

TEST(Arm64Opcodes, TheDocumentIsWhatTheListsSay)
{
	std::string path = std::string(__FILE__).substr(0, std::string(__FILE__).find("userspace/tests")) + "docs/arm64-opcodes.md", want = document();
	if (std::getenv("MV_WRITE_DOCS"))
		std::ofstream(path) << want;
	std::ifstream f(path);
	if (!f)
		GTEST_SKIP() << "the source tree is not here";
	std::stringstream have;
	have << f.rdbuf();
	EXPECT_TRUE(have.str() == want) << "run with MV_WRITE_DOCS=1";
}

TEST(Arm64Opcodes, EveryRowIsWhatItsStatusSays)
{
	SCOPED_TRACE("MV_SEED=" + std::to_string(seed()));
	std::mt19937_64 random(seed());
	Runner runner;
	auto row = [&](const std::string &name, uint32_t value, uint32_t mask) {
		unsigned ran = 0;
		for (int n = 0; n < 40 || (n < 40000 && !ran && name[0] != '-'); n++) {
			uint32_t w = (uint32_t(random()) & ~mask) | value;
			What what = expected(w);
			bool is = runner.is_undefined(w);
			ASSERT_TRUE(what == either || is == (what == undefined)) << name << " " << std::hex << w;
			ran += !is;
		}
		ASSERT_TRUE(ran || name[0] == '-') << name;
	};
	for (const Code &c : codes)
		row(c.absent() ? std::string("-") + c.name : c.name, c.value, c.mask);
	for (const arm64_vec_row &r : arm64_vec_rows) {
		if (r.name && r.mask != ~0u)
			row(r.kind == VK_ABSENT ? std::string("-") + r.name : r.name, r.value, r.mask);
	}
}

// Masks and values are consistent, and no two rows of a kind claim one word.
TEST(Arm64Opcodes, RowsAreDisjoint)
{
	std::mt19937_64 random(seed());
	for (const arm64_vec_row &r : arm64_vec_rows)
		EXPECT_EQ(r.value & ~r.mask, 0u) << r.name;
	for (const Code &c : codes)
		EXPECT_EQ(c.value & ~c.mask, 0u) << c.name;
	for (const Code &a : codes)
		for (const Code &b : codes)
			EXPECT_TRUE(&a == &b || a.absent() || b.absent() || ((a.value ^ b.value) & a.mask & b.mask)) << a.name << " " << b.name;
}

TEST(Arm64Opcodes, RandomWordsAreUndefinedUnlessListed)
{
	SCOPED_TRACE("MV_SEED=" + std::to_string(seed()));
	std::mt19937_64 random(seed());
	Runner runner;
	for (int n = 0; n < 300000; n++) {
		uint32_t w = uint32_t(random());
		What what = expected(w);
		bool is = runner.is_undefined(w);
		ASSERT_TRUE(what == either || is == (what == undefined)) << std::hex << w;
	}
}
