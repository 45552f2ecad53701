// SPDX-License-Identifier: MIT
#include <stdexcept>

#include "vmm/backend/acrn.h"
#include "vmm/backend/gunyah.h"
#include "vmm/backend/inproc_arm64.h"
#include "vmm/backend/inproc_x86.h"

namespace mv {

std::unique_ptr<Backend> make_backend(std::string_view name, Arch arch, const VmConfig& config) {
  if (name == "inproc" && arch == Arch::x86_64) return std::make_unique<InprocX86>(config);
  if (name == "inproc") return std::make_unique<InprocArm64>(config);
  if (name == "acrn") return std::make_unique<AcrnBackend>(config);
  if (name == "gunyah") return std::make_unique<GunyahBackend>(config);
  throw std::invalid_argument("unknown backend '" + std::string(name) + "': valid are inproc, acrn, gunyah");
}

}  // namespace mv
