// SPDX-License-Identifier: MIT
#include "vmm/machine/firmware_board.h"

#include "vmm/machine/table_loader.h"

namespace mv {

namespace {

constexpr uint32_t kRam = 1, kIoApic = 0xfec00000;
constexpr uint16_t kCom1 = 0x3f8;

void put(FwCfg::Bytes& b, uint64_t v, unsigned bytes) {
  for (unsigned i = 0; i < bytes; ++i) b.push_back(static_cast<uint8_t>(v >> (8 * i)));
}

}  // namespace

FirmwareBoard::FirmwareBoard(Bus& bus, const FirmwareBoardConfig& config)
    : bus_(bus),
      config_(config),
      host_([this](uint64_t base) {
        if (pci_) pci_->place_ecam(base);
      }),
      lpc_([this](uint16_t base) { move_pm(base); }),
      pm_(config.power_off, config.now),
      shutdown_(config.power_off),
      fw_cfg_(config.ram),
      debug_(config.debug),
      bochs_(config.debug),
      port92_(config.reset) {
  bus_.claim(Space::pio, FwCfg::kBase, FwCfg::kPorts, fw_cfg_);
  bus_.claim(Space::pio, DebugConsole::kFirmwarePort, 1, debug_);
  bus_.claim(Space::pio, DebugConsole::kBochsPort, 1, bochs_);
  bus_.claim(Space::pio, ShutdownPort::kPort, ShutdownPort::kPorts, shutdown_);
  bus_.claim(Space::pio, Port92::kPort, 1, port92_);
  fill();
}

FirmwareBoard::~FirmwareBoard() { move_pm(0); }

void FirmwareBoard::plug(PciBus& pci) {
  pci_ = &pci;
  pci.plug(Ich9Lpc::kDevice, lpc_);
  pci.place_ecam(host_.ecam());
}

void FirmwareBoard::fill() {
  fw_cfg_.add16(FwCfg::VCPUS, static_cast<uint16_t>(config_.vcpus));
  fw_cfg_.add16(FwCfg::MOST_VCPUS, static_cast<uint16_t>(config_.vcpus));
  fw_cfg_.add16(FwCfg::NOGRAPHIC, 1);
  fw_cfg_.add16(FwCfg::BOOT_MENU, 0);  // nobody waits for a key
  FwCfg::Bytes e820, number;
  put(e820, 0, 8);
  put(e820, config_.memory_bytes, 8);
  put(e820, kRam, 4);
  fw_cfg_.add_file("etc/e820", e820);
  put(number, kCom1, 2);
  fw_cfg_.add_file("etc/sercon-port", number);
  LoaderFiles files = table_loader(acpi_tables(acpi(), 0));
  fw_cfg_.add_file(kTablesFile, std::move(files.tables));
  fw_cfg_.add_file(kRsdpFile, std::move(files.rsdp));
  fw_cfg_.add_file(kLoaderFile, std::move(files.script));
  fw_cfg_.refresh([this] { tell_tables(); });
}

// Addresses in the tables are those that the firmware has chosen by now.
void FirmwareBoard::tell_tables() {
  LoaderFiles files = table_loader(acpi_tables(acpi(), 0));
  fw_cfg_.replace_file(kTablesFile, std::move(files.tables));
  fw_cfg_.replace_file(kRsdpFile, std::move(files.rsdp));
  fw_cfg_.replace_file(kLoaderFile, std::move(files.script));
}

AcpiConfig FirmwareBoard::acpi() const {
  const uint64_t ecam = host_.ecam() ? host_.ecam() : PciBus::kEcam;
  const uint64_t low = config_.memory_bytes > PciBus::kWindow ? config_.memory_bytes : PciBus::kWindow;
  const uint64_t ecam_end = ecam + PciBus::kEcamSize;
  AcpiConfig c{.vcpus = config_.vcpus, .ecam = ecam, .pm_base = pm_base_, .pm_timer = 0, .windows = {}};
  if (pm_base_) c.pm_timer = pm_base_ + Ich9Pm::TIMER;
  c.windows.emplace_back(static_cast<uint32_t>(low), static_cast<uint32_t>(ecam - 1));
  c.windows.emplace_back(static_cast<uint32_t>(ecam_end), kIoApic - 1);
  return c;
}

// Ports that another device has are not decoded.
void FirmwareBoard::move_pm(uint16_t base) {
  if (base == pm_base_) return;
  if (pm_base_) bus_.release(Space::pio, pm_base_);
  pm_base_ = base && bus_.try_claim(Space::pio, base, Ich9Pm::kPorts, pm_) ? base : uint16_t{0};
}

}  // namespace mv
