// SPDX-License-Identifier: MIT
// Instructions per second of the software CPUs on one C workload, and the same text compiled for this machine.
#include <benchmark/benchmark.h>

#include <array>
#include <cstdio>
#include <cstdlib>

#include "bench_guest.h"

extern "C" {
#include "payloads/workload.h"
}

namespace mv::bench {

namespace {

constexpr const char* kNames[] = WORKLOAD_NAMES;

struct Measured {
  double seconds = 0;
  uint64_t instructions = 0;
  uint32_t checksum = 0;
};

unsigned scale() {
  const char* s = std::getenv("MV_BENCH_SCALE");
  return s ? static_cast<unsigned>(std::atoi(s)) : 8;
}

// All kernels in one run of the guest: the time from the mark before each to its checksum.
std::array<Measured, WORKLOAD_KERNELS> measure_guest(const Port& port) {
  std::array<Measured, WORKLOAD_KERNELS> out;
  unsigned kernel = 0;
  Clock::time_point start;
  uint64_t before = 0;
  run_guest("workload", port, [&](const Access& a, Backend& backend) -> uint64_t {
    const auto now = Clock::now();
    switch (a.address - port.test_device()) {
      case 0:
        return scale();
      case 4:
        kernel = static_cast<unsigned>(a.data) % WORKLOAD_KERNELS;
        before = backend.instructions(0).value_or(0);
        start = Clock::now();
        return 0;
      default:
        out[kernel] = {std::chrono::duration<double>(now - start).count(), backend.instructions(0).value_or(0) - before, static_cast<uint32_t>(a.data)};
        return 0;
    }
  });
  return out;
}

const std::array<Measured, WORKLOAD_KERNELS>& native() {
  static const auto result = [] {
    std::array<Measured, WORKLOAD_KERNELS> out;
    for (unsigned k = 0; k < WORKLOAD_KERNELS; ++k) {
      const auto start = Clock::now();
      out[k].checksum = workload_run(k, scale());
      out[k].seconds = std::chrono::duration<double>(Clock::now() - start).count();
    }
    return out;
  }();
  return result;
}

void workload(benchmark::State& state, Port port) {
  double seconds = 0;
  uint64_t instructions = 0;
  for (auto _ : state) {
    const auto m = measure_guest(port);
    double total = 0;
    for (unsigned k = 0; k < WORKLOAD_KERNELS; ++k) {
      if (m[k].checksum != native()[k].checksum) return state.SkipWithError((std::string("wrong checksum of ") + kNames[k]).c_str());
      total += m[k].seconds;
      instructions += m[k].instructions;
      state.counters[std::string(kNames[k]) + "_mips"] = static_cast<double>(m[k].instructions) / m[k].seconds / 1e6;
    }
    seconds += total;
    state.SetIterationTime(total);
  }
  state.counters["mips"] = static_cast<double>(instructions) / seconds / 1e6;
  state.counters["instructions"] = static_cast<double>(instructions) / static_cast<double>(state.iterations());
}

void workload_native(benchmark::State& state) {
  for (auto _ : state) {
    for (unsigned k = 0; k < WORKLOAD_KERNELS; ++k) benchmark::DoNotOptimize(workload_run(k, scale()));
  }
}

}  // namespace

void register_workload() {
  benchmark::RegisterBenchmark("workload/native", workload_native)->Iterations(2)->UseRealTime();
  for (const Port& p : {Port{"inproc", "x86_64"}, Port{"inproc", "i386"}, Port{"inproc", "arm64"}, Port{"acrn", "x86_64"}, Port{"gunyah", "arm64"}}) {
    if (!available(p.backend)) continue;
    benchmark::RegisterBenchmark(("workload/" + p.backend + "/" + p.file).c_str(), [p](benchmark::State& s) { workload(s, p); })->UseManualTime()->Iterations(2);
  }
}

}  // namespace mv::bench
