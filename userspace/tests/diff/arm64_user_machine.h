// SPDX-License-Identifier: MIT
// The two parties of arm64_user.cpp: the software CPU at EL0, set up as Linux sets it up, and a process of qemu-aarch64.
#pragma once

#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

extern "C" {
#include "core/cpu/arm64/arm64.h"
}
#include "arm64_user.h"

namespace arm64_user {

class Ours {
public:
	Ours()
	{
		hv_memmap_init(map_.get());
		hv_memmap_add(map_.get(), tables_at, tables_size, tables_.get(), nullptr, HV_MEM_RWX);
		hv_memmap_add(map_.get(), USER_CODE_AT, USER_CODE_SIZE, code_.get(), nullptr, HV_MEM_RWX);
		hv_memmap_add(map_.get(), USER_DATA_AT, USER_DATA_SIZE, data_.get(), nullptr, HV_MEM_RWX);
		arm64_init(cpu_.get(), map_.get(), 0, arena_.data(), arena_.size(), arena_.size());
		fill_tables();
	}

	// What follows in the batch's data and code.
	void load(const user_batch &batch)
	{
		std::memcpy(data_.get(), batch.data, sizeof(batch.data));
		std::memcpy(code_.get(), batch.code, sizeof(batch.code));
	}

	// Without a barrier both may execute the old code or the new.
	bool code_is(const user_batch &batch) const { return !std::memcmp(code_.get(), batch.code, sizeof(batch.code)); }

	// false: the case does not end within @budget instructions
	bool run(const user_state &in, user_state *out, uint64_t budget)
	{
		arm64_state s = begin(in);
		arm64_state_set(cpu_.get(), &s);
		uint64_t before = cpu_->hv.retired;
		enum hv_exit_kind kind = arm64_step(cpu_.get(), budget);
		executed += cpu_->hv.retired - before - (kind == HV_EXIT_CALL ? 2 : 0);	// not what raised nor the HVC
		arm64_state_get(cpu_.get(), &s);
		*out = end(s);
		out->memory = user_hash(reinterpret_cast<uint64_t *>(data_.get()));
		if (kind != HV_EXIT_CALL && kind != HV_EXIT_BUDGET)
			ADD_FAILURE() << "exit " << hv_exit_kind_name(kind);
		return kind == HV_EXIT_CALL;
	}

	uint64_t executed = 0;	// instructions that ended without an exception

private:
	static constexpr uint64_t tables_at = 0x10000000, tables_size = 0x5000, vectors_at = tables_at + 0x4000;
	using Pages = std::unique_ptr<uint8_t, decltype(&std::free)>;

	static Pages pages(size_t size) { return Pages(static_cast<uint8_t *>(std::aligned_alloc(4096, size)), &std::free); }

	// Level 1, level 2 and two tables of level 3; behind them the vectors, which leave by HVC.  IPA = VA.
	void fill_tables()
	{
		std::memset(tables_.get(), 0, tables_size);
		auto *t = reinterpret_cast<uint64_t *>(tables_.get());
		const uint64_t user = 0x7 << 8 | 1 << 6 | 3, never = 3ull << 53;	// AF, inner shareable; UXN, PXN
		t[0] = (tables_at + 0x1000) | 3;
		t[512 + (USER_CODE_AT >> 21)] = (tables_at + 0x2000) | 3;
		t[512 + (USER_DATA_AT >> 21)] = (tables_at + 0x3000) | 3;
		t[512 + (tables_at >> 21)] = tables_at | 0x7 << 8 | 1 << 7 | 1;		// a block for EL1, read only
		for (uint64_t at = 0; at < USER_CODE_SIZE; at += 4096)
			t[1024 + at / 4096] = (USER_CODE_AT + at) | user | 1ull << 53;
		for (uint64_t at = 0; at < USER_DATA_SIZE; at += 4096)
			t[1536 + at / 4096] = (USER_DATA_AT + at) | user | never;
		const uint32_t hvc = 0xd4000002;
		std::memcpy(tables_.get() + 0x4400, &hvc, 4);
	}

	arm64_state begin(const user_state &in)
	{
		arm64_state s;
		arm64_state_get(cpu_.get(), &s);
		std::copy_n(in.x, 31, s.x);
		std::memcpy(s.v, in.v, sizeof(s.v));
		s.fpcr = in.fpcr;
		s.fpsr = in.fpsr;
		s.sp_el0 = in.x[31];
		s.pc = in.pc;
		s.pstate = in.nzcv | ARM64_MODE_EL0T;
		s.vbar_el1 = vectors_at;
		s.cpacr_el1 = 3 << 20;
		s.ttbr0_el1 = tables_at;
		s.tcr_el1 = 25 | 1 << 23 | 2ull << 32 | 1ull << 37;	// 39 bits below, nothing above, 40 bits out, tags ignored
		s.mair_el1 = 0xff;
		s.sctlr_el1 = 0x04c4c001;	// M; what Linux lets EL0 do: UCI, nTWE, UCT, DZE.  No SA0: QEMU does not check SP
		s.esr_el1 = s.far_el1 = 0;
		return s;
	}

	static user_state end(const arm64_state &s)
	{
		user_state out{};
		std::copy_n(s.x, 31, out.x);
		std::memcpy(out.v, s.v, sizeof(s.v));
		out.fpcr = s.fpcr;
		out.fpsr = s.fpsr;
		out.x[31] = s.sp_el0;
		out.pc = s.elr_el1;
		out.nzcv = s.spsr_el1 & 0xf0000000;
		uint64_t ec = s.esr_el1 >> 26, fault = s.esr_el1 & 63;
		out.signal = ec == 0 || ec == 0x18 ? USER_ILL : ec == 0x3c ? USER_TRAP : ec == 0x22 || ((ec == 0x20 || ec == 0x24) && fault == 0x21) ? USER_BUS :
			     ec == 0x20 || ec == 0x24 ? USER_SEGV : uint32_t(1000 + ec);
		out.address = out.signal == USER_SEGV || out.signal == USER_BUS ? s.far_el1 : 0;
		return out;
	}

	Pages tables_ = pages(tables_size), code_ = pages(USER_CODE_SIZE), data_ = pages(USER_DATA_SIZE);
	std::vector<uint8_t> arena_ = std::vector<uint8_t>(8 << 20);
	std::unique_ptr<hv_memmap> map_ = std::make_unique<hv_memmap>();
	std::unique_ptr<arm64_cpu, decltype(&std::free)> cpu_{static_cast<arm64_cpu *>(std::calloc(1, sizeof(arm64_cpu))), &std::free};
};

class Theirs {
public:
	explicit Theirs(const char *core)
	{
		int to[2], from[2];
		if (pipe(to) || pipe(from))
			throw std::runtime_error("pipe");
		pid_ = fork();
		if (!pid_) {
			dup2(to[0], 0);
			dup2(from[1], 1);
			for (int fd : {to[0], to[1], from[0], from[1]})
				close(fd);
			execlp("qemu-aarch64", "qemu-aarch64", "-cpu", core, MV_USER_RUNNER, nullptr);
			_exit(127);
		}
		close(to[0]);
		close(from[1]);
		in_ = to[1];
		out_ = from[0];
	}
	~Theirs()
	{
		close(in_);
		close(out_);
		waitpid(pid_, nullptr, 0);
	}
	Theirs(const Theirs &) = delete;
	Theirs &operator=(const Theirs &) = delete;

	// false: it ended or did not answer within a minute
	bool run(const user_batch &batch, std::vector<user_state> *out)
	{
		out->resize(USER_CASES);
		return transfer(in_, POLLOUT, const_cast<user_batch *>(&batch), sizeof(batch)) &&
		       transfer(out_, POLLIN, out->data(), USER_CASES * sizeof(user_state));
	}

private:
	static bool transfer(int fd, short event, void *data, size_t size)
	{
		for (size_t at = 0; at < size;) {
			pollfd p{fd, event, 0};
			if (poll(&p, 1, 60000) != 1)
				return false;
			char *place = static_cast<char *>(data) + at;
			ssize_t n = event == POLLIN ? read(fd, place, size - at) : write(fd, place, size - at);
			if (n <= 0)
				return false;
			at += size_t(n);
		}
		return true;
	}

	pid_t pid_ = -1;
	int in_ = -1, out_ = -1;
};

}
