// SPDX-License-Identifier: MIT
#include "vmm/backend/device_tree.h"

#include <fmt/format.h>
#include <libfdt.h>

#include <stdexcept>
#include <string>

namespace mv {

namespace {

constexpr uint32_t kPhandleGic = 1, kPhandleClock = 2, kPhandlePool = 3;
constexpr uint32_t kSpi = 0, kEdge = 1;

// libfdt's sequential writer; every call must succeed.
class Writer {
 public:
  explicit Writer(std::vector<std::byte>& blob) : blob_(blob) {
    must(fdt_create(blob_.data(), static_cast<int>(blob_.size())));
    must(fdt_finish_reservemap(blob_.data()));
  }
  void begin(const std::string& name) { must(fdt_begin_node(blob_.data(), name.c_str())); }
  void end() { must(fdt_end_node(blob_.data())); }
  void flag(const char* name) { must(fdt_property(blob_.data(), name, nullptr, 0)); }
  void text(const char* name, const char* value) { must(fdt_property_string(blob_.data(), name, value)); }
  void cell(const char* name, uint32_t value) { must(fdt_property_u32(blob_.data(), name, value)); }
  void cell64(const char* name, uint64_t value) { must(fdt_property_u64(blob_.data(), name, value)); }
  void cells(const char* name, std::initializer_list<uint32_t> values) {
    std::vector<fdt32_t> big;
    for (uint32_t v : values) big.push_back(cpu_to_fdt32(v));
    must(fdt_property(blob_.data(), name, big.data(), static_cast<int>(big.size() * sizeof(fdt32_t))));
  }
  void reg(uint64_t base, uint64_t size) {
    cells("reg", {static_cast<uint32_t>(base >> 32), static_cast<uint32_t>(base), static_cast<uint32_t>(size >> 32),
                  static_cast<uint32_t>(size)});
  }
  // The names follow each other, each with its zero.
  void texts(const char* name, std::string_view values) { must(fdt_property(blob_.data(), name, values.data(), static_cast<int>(values.size()))); }
  void spi(uint32_t number) { cells("interrupts", {kSpi, number, kEdge}); }
  void finish() { must(fdt_finish(blob_.data())); }

 private:
  static void must(int r) {
    if (r < 0) throw std::runtime_error(std::string("device tree: ") + fdt_strerror(r));
  }
  std::vector<std::byte>& blob_;
};

void write_cpus(Writer& w, unsigned vcpus) {
  w.begin("cpus");
  w.cell("#address-cells", 1);
  w.cell("#size-cells", 0);
  for (unsigned i = 0; i < vcpus; ++i) {
    w.begin("cpu@" + std::to_string(i));
    w.text("device_type", "cpu");
    w.text("compatible", "arm,armv8");
    w.text("enable-method", "psci");
    w.cell("reg", i);
    w.end();
  }
  w.end();
}

void write_interrupts(Writer& w, unsigned vcpus) {
  w.begin(fmt::format("interrupt-controller@{:x}", Arm64Layout::kGicDistributor));
  w.text("compatible", "arm,gic-v3");
  w.cell("#interrupt-cells", 3);
  w.cell("#address-cells", 0);
  w.flag("interrupt-controller");
  w.cells("reg", {0, static_cast<uint32_t>(Arm64Layout::kGicDistributor), 0, 0x10000, 0,
                  static_cast<uint32_t>(Arm64Layout::kGicRedistributor), 0, 0x20000 * vcpus});
  w.cell("phandle", kPhandleGic);
  w.end();
  w.begin("timer");
  w.text("compatible", "arm,armv8-timer");
  w.flag("always-on");
  w.cells("interrupts", {1, 13, 4, 1, 14, 4, 1, 11, 4, 1, 10, 4});
  w.cell("clock-frequency", 19200000);
  w.end();
}

void write_chosen(Writer& w, const TreeChosen& chosen) {
  w.begin("chosen");
  if (!chosen.command_line.empty()) w.text("bootargs", chosen.command_line.c_str());
  w.text("stdout-path", fmt::format("/uart@{:x}", Arm64Layout::kPl011).c_str());
  if (chosen.initrd_size) {
    w.cell64("linux,initrd-start", chosen.initrd);
    w.cell64("linux,initrd-end", chosen.initrd + chosen.initrd_size);
  }
  w.end();
}

// Binding: reserved-memory/shared-dma-pool.  What a device reads or writes is copied to and from there.
void write_pool(Writer& w, uint64_t base, uint64_t size) {
  w.begin("reserved-memory");
  w.cell("#address-cells", 2);
  w.cell("#size-cells", 2);
  w.flag("ranges");
  w.begin(fmt::format("restricted-dma-pool@{:x}", base));
  w.text("compatible", "restricted-dma-pool");
  w.reg(base, size);
  w.cell("phandle", kPhandlePool);
  w.end();
  w.end();
}

// Bindings: arm,primecell, arm,pl011, arm,pl031.  Without a clock Linux does not touch them.
void write_primecell(Writer& w, const char* name, uint64_t base, std::string_view compatible, uint32_t spi, std::initializer_list<uint32_t> clocks,
                     std::string_view clock_names) {
  w.begin(fmt::format("{}@{:x}", name, base));
  w.texts("compatible", compatible);
  w.reg(base, 0x1000);
  w.spi(spi);
  w.cells("clocks", clocks);
  w.texts("clock-names", clock_names);
  w.end();
}

void write_devices(Writer& w, const TreeChosen& chosen) {
  using namespace std::string_view_literals;
  w.begin("clock");
  w.text("compatible", "fixed-clock");
  w.cell("#clock-cells", 0);
  w.cell("clock-frequency", 24000000);
  w.text("clock-output-names", "clk24mhz");
  w.cell("phandle", kPhandleClock);
  w.end();
  write_primecell(w, "uart", Arm64Layout::kPl011, "arm,pl011\0arm,primecell\0"sv, Arm64Layout::kSpiPl011, {kPhandleClock, kPhandleClock}, "uartclk\0apb_pclk\0"sv);
  write_primecell(w, "rtc", Arm64Layout::kPl031, "arm,pl031\0arm,primecell\0"sv, Arm64Layout::kSpiPl031, {kPhandleClock}, "apb_pclk\0"sv);
  for (unsigned i = 0; i < chosen.virtio; ++i) {
    const uint64_t base = Arm64Layout::kVirtio + i * Arm64Layout::kVirtioStep;
    w.begin(fmt::format("virtio@{:x}", base));
    w.text("compatible", "virtio,mmio");
    w.reg(base, Arm64Layout::kVirtioStep);
    w.spi(Arm64Layout::kSpiVirtio + i);
    w.flag("dma-coherent");
    if (chosen.pool_size) w.cell("memory-region", kPhandlePool);
    w.end();
  }
}

// What the resource manager reads: Gunyah RM, src/vm_config.
void write_doorbell(Writer& w, const TreeDoorbell& bell) {
  const std::string name = fmt::format("bell-{:x}", bell.label);
  w.begin(name);
  w.text("vdevice-type", "doorbell");
  w.text("generate", ("/hypervisor/" + name).c_str());
  w.cell("label", bell.label);
  w.flag("peer-default");
  w.flag("source-can-clear");
  w.cells("interrupts", {0, bell.spi, 1});
  w.end();
}

void write_vm_config(Writer& w, uint64_t memory, std::span<const TreeDoorbell> doorbells) {
  w.begin("gunyah-vm-config");
  w.text("image-name", "mvmm");
  w.text("os-type", "linux");
  w.begin("memory");
  w.cell("#address-cells", 2);
  w.cell("#size-cells", 2);
  w.cell64("base-address", memory);
  w.end();
  w.begin("interrupts");
  w.cell("config", kPhandleGic);
  w.end();
  w.begin("vcpus");
  w.text("affinity", "proxy");
  w.end();
  w.begin("vdevices");
  w.text("generate", "/hypervisor");
  for (const TreeDoorbell& bell : doorbells) write_doorbell(w, bell);
  w.end();
  w.end();
}

}  // namespace

std::vector<std::byte> make_device_tree(uint64_t memory_bytes, unsigned vcpus, std::span<const TreeDoorbell> doorbells, const TreeChosen& chosen) {
  const uint64_t memory = arm64_memory_base(chosen);
  std::vector<std::byte> blob(Arm64Layout::kTreeSize);
  Writer w(blob);
  w.begin("");
  w.cell("#address-cells", 2);
  w.cell("#size-cells", 2);
  w.cell("interrupt-parent", kPhandleGic);
  w.begin(fmt::format("memory@{:x}", memory));
  w.text("device_type", "memory");
  w.reg(memory, memory_bytes + chosen.pool_size);
  w.end();
  if (chosen.pool_size) write_pool(w, memory + memory_bytes, chosen.pool_size);
  write_chosen(w, chosen);
  write_cpus(w, vcpus);
  w.begin("psci");
  w.text("compatible", "arm,psci-1.0");
  w.text("method", "hvc");
  w.end();
  write_interrupts(w, vcpus);
  write_devices(w, chosen);
  write_vm_config(w, memory, doorbells);
  w.end();
  w.finish();
  // the blob says it is shorter than the room it has: the resource manager's overlay would go there
  return blob;
}

}  // namespace mv
