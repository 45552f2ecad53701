// SPDX-License-Identifier: MIT
#include <cstdio>
#include <string>

#include "conformance.h"

// --backend=inproc|acrn|gunyah narrows the targets; an explicit --gtest_filter narrows further by its own.
int main(int argc, char** argv) {
  std::string backend = "inproc";
  testing::InitGoogleMock(&argc, argv);
  for (int i = 1; i < argc; ++i) {
    const std::string a = argv[i];
    if (!a.starts_with("--backend=")) {
      std::fprintf(stderr, "usage: %s [--backend=inproc|acrn|gunyah] [--gtest_...]\n", argv[0]);
      return 2;
    }
    backend = a.substr(10);
  }
  if (backend != "inproc" && backend != "acrn" && backend != "gunyah") {
    std::fprintf(stderr, "--backend=%s: valid are inproc, acrn, gunyah\n", backend.c_str());
    return 2;
  }
  if (GTEST_FLAG_GET(filter) == "*") GTEST_FLAG_SET(filter, "*/" + backend + "_*");
  const int r = RUN_ALL_TESTS();
  if (!GTEST_FLAG_GET(list_tests) && testing::UnitTest::GetInstance()->test_to_run_count() == 0) {
    std::fprintf(stderr, "no case ran: that is a failure\n");
    return 1;
  }
  return r;
}
