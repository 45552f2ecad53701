// SPDX-License-Identifier: MIT
#include <benchmark/benchmark.h>

namespace mv::bench {
void register_exits();
void register_workload();
}  // namespace mv::bench

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  mv::bench::register_exits();
  mv::bench::register_workload();
  return benchmark::RunSpecifiedBenchmarks() == 0;
}
