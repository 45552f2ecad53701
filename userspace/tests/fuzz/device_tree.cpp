// SPDX-License-Identifier: MIT
// The bounded reader of device trees on any bytes; where libfdt takes the tree for sound, the reader may refuse it but never
// reads beyond it (AddressSanitizer: the copy is as long as the input).
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>

extern "C" {
#include "core/gunyah/dt.h"
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const std::unique_ptr<uint8_t, decltype(&free)> exact(static_cast<uint8_t *>(malloc(size ? size : 1)), &free);
  memcpy(exact.get(), data, size);
  gunyah_dt dt;
  const char *where = nullptr;
  const int r = gunyah_dt_read(exact.get(), size, &dt, &where);
  if (r > 0 || (r == 0 && (dt.cpus > 32 || dt.doorbells > GUNYAH_DT_DOORBELLS))) abort();
  return 0;
}
