// SPDX-License-Identifier: MIT
#include "app/linux_guest.h"

#include "vmm/machine/acpi_x86.h"
#include "vmm/machine/file.h"
#include "vmm/machine/firmware_image.h"
#include "vmm/machine/kernel_x86.h"
#include "vmm/machine/linux_arm64.h"

namespace mv {

static LinuxStart load_bzimage(const LinuxSpec& spec, const LinuxImages& files, MachineConfig& machine) {
  const bool entry64 = !spec.entry32 && linux_x86_has_entry64(files.kernel);
  machine.vm.mode = entry64 ? StartMode::linux64 : StartMode::linux32;
  return linux_x86(files, machine.vm.memory_bytes, kAcpiTables, entry64);
}

static LinuxStart load_x86(const LinuxSpec& spec, const LinuxImages& files, MachineConfig& machine) {
  const KernelKind kind = kernel_kind(files.kernel);
  if (kind == KernelKind::bzimage) return load_bzimage(spec, files, machine);
  if (spec.entry32 && kind == KernelKind::elf64) throw std::invalid_argument("--mode 32: the kernel is a 64-bit ELF file");
  machine.vm.mode = kind == KernelKind::multiboot ? StartMode::multiboot : kind == KernelKind::elf32 ? StartMode::protected32 : StartMode::long64;
  return kind == KernelKind::multiboot ? load_multiboot(files, machine.vm.memory_bytes) : load_elf(files, machine.vm.memory_bytes);
}

void load_linux(const LinuxSpec& spec, MachineConfig& machine) {
  LinuxImages files{read_file("--kernel", spec.kernel, machine.vm.memory_bytes), {}, spec.command_line};
  if (!spec.initrd.empty()) files.initrd = read_file("--initrd", spec.initrd, machine.vm.memory_bytes);
  LinuxStart start;
  if (machine.arch == Arch::arm64) {
    start = linux_arm64(files, machine.vm.memory_bytes, machine.vm.chosen);
  } else {
    start = load_x86(spec, files, machine);
    start.images.push_back(acpi_x86({.vcpus = machine.vm.vcpus, .pm_timer = kPmTimerPort}));
  }
  machine.vm.entry = start.entry;
  machine.vm.argument = start.argument;
  for (Image& image : start.images) machine.images.push_back(std::move(image));
}

void load_firmware(const std::string& file, MachineConfig& machine) {
  const std::vector<std::byte> bytes = read_file("--firmware", file, machine.vm.memory_bytes);
  machine.vm.chosen.firmware = machine.arch == Arch::arm64;
  machine.vm.rom_bytes = firmware_room(bytes.size());
  machine.images = machine.arch == Arch::arm64 ? firmware_images_arm64(bytes) : firmware_images(bytes, machine.vm.memory_bytes);
}

}  // namespace mv
