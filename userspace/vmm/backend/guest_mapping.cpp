// SPDX-License-Identifier: MIT
#include "vmm/backend/guest_mapping.h"

#include <linux/mman.h>

#include <fstream>
#include <stdexcept>

namespace mv {

static std::string free_huge_pages() {
  std::ifstream file("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages");
  std::string n;
  return file >> n ? n + " are free" : "this kernel has none";
}

Mapping guest_mapping(const VmConfig& config) {
  const int flags = MAP_SHARED | MAP_ANONYMOUS;
  if (!config.huge_pages) return {config.memory_bytes, PROT_READ | PROT_WRITE, flags, -1, 0, "guest memory"};
  if (config.memory_bytes % kHugePage) throw std::invalid_argument("--hugepages: --memory must be a multiple of 2m");
  try {
    return {config.memory_bytes, PROT_READ | PROT_WRITE, flags | MAP_HUGETLB | MAP_HUGE_2MB, -1, 0, "guest memory"};
  } catch (const std::system_error&) {
    const std::string wanted = std::to_string(config.memory_bytes / kHugePage);
    throw std::invalid_argument("--hugepages: the guest needs " + wanted + " huge pages of 2 MiB and " + free_huge_pages() + ": echo " + wanted +
                                " > /proc/sys/vm/nr_hugepages, as root");
  }
}

}  // namespace mv
