// SPDX-License-Identifier: MIT
/*
 * A compiled program on the software CPU against the same source run natively (arm64_workload_code.cpp), and what the
 * software CPU takes for it: MV_BENCH=<rounds> runs longer and prints MIPS for each part.
 */
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include <unistd.h>

#include <gtest/gtest.h>

extern "C" {
#include "core/cpu/arm64/arm64.h"
unsigned long long arm64_workload(unsigned int which, unsigned int rounds);
}

namespace {

const char *const part_names[] = {"alu", "sieve", "sort", "sha", "recursion", "chase", "machine"};

// Flat binary at 0: _start at its first byte, arguments in x0 and x1, HVC at the end.
std::vector<uint8_t> build_guest()
{
	std::string dir = ::testing::TempDir() + "mv_arm64_workload_" + std::to_string(getpid());
	std::string here = __FILE__, code = here.substr(0, here.rfind('/')) + "/arm64_workload_code.cpp";
	std::ofstream(dir + ".S") << ".globl _start\n_start: bl arm64_workload\nhvc #0\nb .\n";
	std::string command = "aarch64-linux-gnu-gcc -O2 -ffreestanding -mgeneral-regs-only -fno-pic -nostdlib -static "
			      "-Wl,-Ttext=0 -Wl,--build-id=none -Wl,-z,max-page-size=4096 -o " + dir + ".elf " + dir +
			      ".S -x c " + code + " 2>/dev/null && aarch64-linux-gnu-objcopy -O binary " + dir + ".elf " +
			      dir + ".bin";
	std::vector<uint8_t> image;
	if (std::system(command.c_str()) == 0) {
		std::ifstream in(dir + ".bin", std::ios::binary);
		image.assign(std::istreambuf_iterator<char>(in), {});
	}
	for (const char *end : {".S", ".elf", ".bin"})
		std::remove((dir + end).c_str());
	return image;
}

struct Machine {
	static constexpr size_t ram_size = 4 << 20, arena_size = 4 << 20;
	std::vector<uint8_t> ram = std::vector<uint8_t>(ram_size + 4096), arena = std::vector<uint8_t>(arena_size);
	std::unique_ptr<hv_memmap> map = std::make_unique<hv_memmap>();
	std::unique_ptr<arm64_cpu> cpu = std::make_unique<arm64_cpu>();	// zeroed
	uint8_t *base;

	explicit Machine(const std::vector<uint8_t> &image)
	{
		base = reinterpret_cast<uint8_t *>((reinterpret_cast<uintptr_t>(ram.data()) + 4095) & ~uintptr_t(4095));
		hv_memmap_init(map.get());
		hv_memmap_add(map.get(), 0, ram_size, base, nullptr, HV_MEM_RWX);
		std::copy(image.begin(), image.end(), base);
		arm64_init(cpu.get(), map.get(), 0, arena.data(), arena.size(), arena.size());
	}

	uint64_t run(unsigned which, unsigned rounds, decltype(&arm64_step) step)
	{
		arm64_state s;
		arm64_state_get(cpu.get(), &s);
		s.pc = 0;
		s.x[0] = which;
		s.x[1] = rounds;
		s.sp_el1 = ram_size;
		arm64_state_set(cpu.get(), &s);
		EXPECT_EQ(step(cpu.get(), ~0ull), HV_EXIT_CALL);
		return arm64_get_x(cpu.get(), 0);
	}
};

}

TEST(Arm64Workload, AgreesWithNativeRun)
{
	std::vector<uint8_t> image = build_guest();
	if (image.empty())
		GTEST_SKIP() << "no aarch64-linux-gnu-gcc";
	const char *bench = std::getenv("MV_BENCH");	// MV_BENCH_SWITCH: the kernel build's dispatcher
	auto step = std::getenv("MV_BENCH_SWITCH") ? arm64_step_switch : arm64_step;
	unsigned rounds = bench ? std::atoi(bench) : 2;
	Machine machine(image);
	double seconds = 0;
	uint64_t instructions = 0;
	for (unsigned which = 0; which < std::size(part_names); which++) {
		uint64_t before = machine.cpu->hv.retired;
		auto start = std::chrono::steady_clock::now();
		uint64_t sum = machine.run(which, rounds, step);
		std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
		uint64_t done = machine.cpu->hv.retired - before;
		EXPECT_EQ(sum, arm64_workload(which, rounds)) << part_names[which];
		if (bench)
			std::printf("%-10s %8.1f M instructions %7.1f MIPS\n", part_names[which], double(done) / 1e6,
				    double(done) / took.count() / 1e6);
		seconds += took.count();
		instructions += done;
	}
	if (bench)
		std::printf("%-10s %8.1f M instructions %7.1f MIPS\n", "all", double(instructions) / 1e6,
			    double(instructions) / seconds / 1e6);
}

TEST(Arm64Workload, SwitchDispatcherAgrees)
{
	std::vector<uint8_t> image = build_guest();
	if (image.empty())
		GTEST_SKIP() << "no aarch64-linux-gnu-gcc";
	Machine machine(image);
	for (unsigned which = 0; which < std::size(part_names); which++)
		EXPECT_EQ(machine.run(which, 1, arm64_step_switch), arm64_workload(which, 1)) << part_names[which];
}
