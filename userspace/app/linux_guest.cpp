// SPDX-License-Identifier: MIT
#include "app/linux_guest.h"

#include "vmm/machine/acpi_x86.h"
#include "vmm/machine/linux_arm64.h"

namespace mv {

void load_linux(const LinuxSpec& spec, MachineConfig& machine) {
  LinuxImages files{read_flat({spec.kernel, 0}).bytes, {}, spec.command_line};
  if (!spec.initrd.empty()) files.initrd = read_flat({spec.initrd, 0}).bytes;
  LinuxStart start;
  if (machine.arch == Arch::arm64) {
    start = linux_arm64(files, machine.vm.memory_bytes, machine.vm.chosen);
  } else {
    start = linux_x86(files, machine.vm.memory_bytes, kAcpiTables);
    start.images.push_back(acpi_x86({.vcpus = machine.vm.vcpus}));
  }
  machine.vm.entry = start.entry;
  machine.vm.argument = start.argument;
  for (Image& image : start.images) machine.images.push_back(std::move(image));
}

}  // namespace mv
