// SPDX-License-Identifier: MIT
// What an exit costs, and beside it in the same run what the machine asks for a system call and for waking a thread.
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <thread>

#include "bench_guest.h"

namespace mv::bench {

namespace {

// An ioctl that does nothing: the file has no such call.
void null_ioctl(benchmark::State& state) {
  const int fd = ::open("/dev/null", O_RDWR);
  for (auto _ : state) benchmark::DoNotOptimize(::ioctl(fd, 0x4706, 0));
  ::close(fd);
}

void futex_set(std::atomic<uint32_t>& word, uint32_t value) {
  word.store(value);
  ::syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
}

void futex_await(std::atomic<uint32_t>& word, uint32_t value) {
  for (uint32_t seen; (seen = word.load()) != value;) ::syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, seen, nullptr, nullptr, 0);
}

// One round: wake the other thread, sleep until it has woken us.
void futex_ping_pong(benchmark::State& state) {
  std::atomic<uint32_t> word = 0;
  std::thread other([&] {
    for (uint32_t n = 1;; n += 2) {
      uint32_t seen;
      while ((seen = word.load()) != n && seen != ~0u) ::syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, seen, nullptr, nullptr, 0);
      if (seen == ~0u) return;
      futex_set(word, n + 1);
    }
  });
  uint32_t n = 1;
  for (auto _ : state) {
    futex_set(word, n);
    futex_await(word, n + 1);
    n += 2;
  }
  futex_set(word, ~0u);
  other.join();
}

// One iteration: kBatch exits of a guest that does nothing else.
void exits(benchmark::State& state, Port port) {
  constexpr unsigned kWarm = 200, kBatch = 5000;
  if (!available(port.backend)) return state.SkipWithError("no device node here");
  for (auto _ : state) {
    unsigned n = 0;
    Clock::time_point start, end;
    run_guest("exits", port, [&](const Access&, Backend& backend) -> uint64_t {
      if (++n == kWarm) start = Clock::now();
      if (n == kWarm + kBatch) {
        end = Clock::now();
        backend.stop();
      }
      return 0;
    });
    state.SetIterationTime(std::chrono::duration<double>(end - start).count() / kBatch);
  }
}

}  // namespace

void register_exits() {
  // A B A B: each measurement is repeated with the others in between, and the table takes the median
  benchmark::RegisterBenchmark("null_ioctl", null_ioctl)->MinTime(0.1);
  benchmark::RegisterBenchmark("futex_ping_pong", futex_ping_pong)->MinTime(0.1)->UseRealTime();
  for (const Port& p : {Port{"inproc", "x86_64"}, Port{"inproc", "arm64"}, Port{"acrn", "x86_64"}, Port{"gunyah", "arm64"}}) {
    if (!available(p.backend)) continue;
    benchmark::RegisterBenchmark(("exit/" + p.backend + "/" + p.file).c_str(), [p](benchmark::State& s) { exits(s, p); })->UseManualTime()->Iterations(4);
  }
}

}  // namespace mv::bench
