// SPDX-License-Identifier: MIT
// ACRN: pass-through and virtual devices.  The pretend machine is the module's default one: 00:14.0, 00:1f.6, a bridge at
// 00:1c.0 and a platform device "tpm" behind the last BAR.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <mockvisor.h>

#include <cstring>

#include "glue/acrn_irq_vm.h"
#include "glue/runner.h"
#include "glue/system.h"
#include "vmm/backend/control.h"

namespace mv::glue {

constexpr uint16_t kUsb = 0x14 << 3, kNet = 0x1f << 3 | 6, kBridge = 0x1c << 3, kNowhere = 0x05 << 3;
constexpr uint64_t kBase = 0xd0000000;
// 64 KiB of 00:14.0, 128 KiB of 00:1f.6 naturally aligned, then 20 KiB of tpm
constexpr uint64_t kTpm = 0xd0040000;
constexpr uint16_t kVirtual = 3 << 3;

static acrn_pcidev pcidev(uint16_t phys, uint16_t virt = kVirtual) {
  acrn_pcidev p{};
  p.virt_bdf = virt;
  p.phys_bdf = phys;
  p.intr_line = 11;
  p.intr_pin = 1;
  p.bar[0] = 0x80000000;
  return p;
}
static Result assign(AcrnDevice& vm, const acrn_pcidev& p) { return call(vm.fd(), ACRN_IOCTL_ASSIGN_PCIDEV, &p); }
static Result deassign(AcrnDevice& vm, const acrn_pcidev& p) { return call(vm.fd(), ACRN_IOCTL_DEASSIGN_PCIDEV, &p); }
static acrn_ptdev_irq line(uint16_t phys, uint32_t pin, uint32_t phys_pin = 16) {
  acrn_ptdev_irq i{};
  i.type = ACRN_PTDEV_IRQ_INTX;
  i.virt_bdf = kVirtual;
  i.phys_bdf = phys;
  i.intx = {pin, phys_pin, 0};
  return i;
}
static Result set_line(AcrnDevice& vm, const acrn_ptdev_irq& i) { return call(vm.fd(), ACRN_IOCTL_SET_PTDEV_INTR, &i); }
static Result reset_line(AcrnDevice& vm, const acrn_ptdev_irq& i) { return call(vm.fd(), ACRN_IOCTL_RESET_PTDEV_INTR, &i); }
static acrn_vdev vdev(uint16_t vendor, uint16_t device, uint64_t slot = kVirtual) {
  acrn_vdev v{};
  v.id.fields.vendor = vendor;
  v.id.fields.device = device;
  v.slot = slot;
  v.io_addr[0] = 0x80000000;
  v.io_addr[1] = 0x80001000;
  v.io_addr[2] = 0x80100000;
  v.io_size[2] = 0x10000;
  return v;
}
static acrn_vdev ivshmem(const char* name = "hv:/region") {
  acrn_vdev v = vdev(0x1af4, 0x1110);
  std::strcpy(reinterpret_cast<char*>(v.args), name);
  return v;
}
static Result create(AcrnDevice& vm, const acrn_vdev& v) { return call(vm.fd(), ACRN_IOCTL_CREATE_VDEV, &v); }
static Result destroy(AcrnDevice& vm, const acrn_vdev& v) { return call(vm.fd(), ACRN_IOCTL_DESTROY_VDEV, &v); }
static Result drive(uint16_t bdf, bool high) {
  const Fd control(::open("/dev/mockvisor", O_RDWR | O_CLOEXEC));
  const mockvisor_device_interrupt i{.bdf = bdf, .high = high, .reserved = 0};
  return call(control.get(), MOCKVISOR_DEVICE_INTERRUPT, &i);
}
// Writes the configuration register through 0xCF8/0xCFC.
static Flat32& config(Flat32& c, uint16_t bdf, uint8_t reg, uint32_t v) {
  return c.mov_eax(0x80000000u | uint32_t{bdf} << 8 | reg).out_eax(0xcf8).mov_eax(v).out_eax(0xcfc);
}
static Flat32& config_get(Flat32& c, uint16_t bdf, uint8_t reg) {
  return c.mov_eax(0x80000000u | uint32_t{bdf} << 8 | reg).out_eax(0xcf8).in_eax(0xcfc);
}

TEST(AcrnDevices, Statement42_Assignment) {
  AcrnVm vm("pass"), other("other");
  EXPECT_EQ(assign(vm, pcidev(kNowhere)), fails(ENODEV));
  EXPECT_EQ(assign(vm, pcidev(kBridge)), fails(ENODEV));
  EXPECT_EQ(assign(vm, pcidev(kUsb)), ok);
  EXPECT_EQ(assign(other, pcidev(kUsb)), fails(ENODEV)) << "given away";
  EXPECT_EQ(assign(vm, pcidev(kNet)), fails(EINVAL)) << "the slot is taken";
  EXPECT_EQ(deassign(other, pcidev(kUsb)), fails(ENODEV));
  EXPECT_EQ(deassign(vm, pcidev(kUsb)), ok);
  EXPECT_EQ(assign(other, pcidev(kUsb)), ok);
  EXPECT_EQ(call(vm.fd(), ACRN_IOCTL_ASSIGN_PCIDEV, nullptr), fails(EFAULT));
}

TEST(AcrnDevices, Statement42_NotWhileRunning) {
  AcrnVm vm("run");
  vm.boot(X86Code().spin());
  EXPECT_EQ(assign(vm, pcidev(kUsb)), fails(EINVAL));
  EXPECT_EQ(deassign(vm, pcidev(kUsb)), fails(EINVAL));
  EXPECT_EQ(set_line(vm, line(kUsb, 20)), fails(EPERM));
  EXPECT_EQ(reset_line(vm, line(kUsb, 20)), fails(EPERM));
  EXPECT_EQ(create(vm, ivshmem()), fails(EINVAL));
  EXPECT_EQ(destroy(vm, ivshmem()), fails(EINVAL));
  acrn_mmiodev m{};
  EXPECT_EQ(call(vm.fd(), ACRN_IOCTL_ASSIGN_MMIODEV, &m), fails(EINVAL));
  EXPECT_EQ(call(vm.fd(), ACRN_IOCTL_DEASSIGN_MMIODEV, &m), fails(EINVAL));
}

TEST(AcrnDevices, Statement42_InterruptRemapping) {
  AcrnVm vm("intx");
  EXPECT_EQ(set_line(vm, line(kUsb, 20)), fails(EPERM)) << "not assigned";
  ASSERT_EQ(assign(vm, pcidev(kUsb)), ok);
  EXPECT_EQ(set_line(vm, line(kUsb, 48)), fails(EPERM));
  EXPECT_EQ(set_line(vm, line(kUsb, 20, 5000)), fails(EPERM));
  acrn_ptdev_irq msi = line(kUsb, 20);
  msi.type = ACRN_PTDEV_IRQ_MSI;
  EXPECT_EQ(set_line(vm, msi), fails(EPERM));
  EXPECT_EQ(set_line(vm, line(kUsb, 20)), ok);
  EXPECT_EQ(vm.pause(), ok);
  EXPECT_EQ(set_line(vm, line(kUsb, 20)), fails(EPERM)) << "created VMs only";
  EXPECT_EQ(reset_line(vm, line(kUsb, 20)), ok);
}

TEST(AcrnDevices, PassedThroughLineReachesTheGuest) {
  AcrnIrqVm vm("line");
  ASSERT_EQ(assign(vm, pcidev(kUsb)), ok);
  ASSERT_EQ(set_line(vm, line(kUsb, 20)), ok);
  vm.boot_waiting(Flat32().ioapic(20, 1 << 15 | 0x61));
  EXPECT_TRUE(vm.ready());
  EXPECT_EQ(drive(kNowhere, true), fails(ENODEV));
  EXPECT_EQ(drive(kNet, true), fails(ENOENT));
  EXPECT_EQ(drive(kUsb, true), ok);
  ASSERT_TRUE(vm.request());
  EXPECT_EQ(drive(kUsb, false), ok);
  EXPECT_EQ(vm.reported(), 0x61);
  EXPECT_TRUE(vm.quiet());
}

TEST(AcrnDevices, PassedThroughFunctionHasConfigurationBarsAndMsi) {
  AcrnIrqVm vm("msi");
  ASSERT_EQ(assign(vm, pcidev(kUsb)), ok);
  Flat32 c;
  config_get(c, kVirtual, 0).out_eax(0x90);
  config_get(c, kVirtual, 8).out_eax(0x91);
  config(c, kVirtual, 0x10, ~0u);
  config_get(c, kVirtual, 0x10).out_eax(0x92);
  config(c, kVirtual, 0x10, 0x90000000);
  config(c, kVirtual, 4, 2);
  c.store(0x90000100, 0x12345678).load_eax(0x90000100).out_eax(0x93);
  config(c, kVirtual, 0x44, 0xfee00000);
  config(c, kVirtual, 0x4c, 0x62);
  config(c, kVirtual, 0x40, 1 << 16);
  vm.boot_waiting(c);
  const auto out = [](uint32_t port, uint32_t v) { return pio(ACRN_IOREQ_DIR_WRITE, port, 4, v); };
  EXPECT_EQ(vm.request(), out(0x90, 0x9ded8086));
  EXPECT_TRUE(vm.reply() && vm.slot_becomes(ACRN_IOREQ_STATE_PROCESSING));
  EXPECT_EQ(vm.request(), out(0x91, 0x0c033001));
  EXPECT_TRUE(vm.reply() && vm.slot_becomes(ACRN_IOREQ_STATE_PROCESSING));
  EXPECT_EQ(vm.request(), out(0x92, 0xffff0000)) << "64 KiB";
  EXPECT_TRUE(vm.reply() && vm.slot_becomes(ACRN_IOREQ_STATE_PROCESSING));
  EXPECT_EQ(vm.request(), out(0x93, 0x12345678));
  EXPECT_TRUE(vm.reply() && vm.slot_becomes(ACRN_IOREQ_STATE_PROCESSING));
  EXPECT_TRUE(vm.ready());
  EXPECT_EQ(drive(kUsb, true), ok);
  EXPECT_EQ(vm.reported(), 0x62);
}

TEST(AcrnDevices, MmioSegmentIsTheDevicesMemory) {
  AcrnVm vm("seg");
  acrn_vm_memmap m{};
  m.type = ACRN_MEMMAP_MMIO;
  m.attr = ACRN_MEM_ACCESS_RWX;
  m.user_vm_pa = 0x80000;
  m.service_vm_pa = kBase;
  m.len = 0x1000;
  // RAM is there already and stays: statement 18
  EXPECT_EQ(vm.set_memseg(m), ok);
  m.user_vm_pa = 0x200000;
  EXPECT_EQ(vm.set_memseg(m), ok);
  m.len = 0x800;
  EXPECT_EQ(vm.set_memseg(m), fails(EINVAL));
  m.len = 0x20000;
  EXPECT_EQ(vm.set_memseg(m), fails(EINVAL)) << "beyond the BAR";
  m.len = 0x1000, m.service_vm_pa = 0x1000;
  EXPECT_EQ(vm.set_memseg(m), fails(EINVAL)) << "no device is there";
  m.service_vm_pa = kBase;
  EXPECT_EQ(vm.unset_memseg(m), ok);
  EXPECT_EQ(vm.unset_memseg(m), fails(EINVAL)) << "not mapped any more";
  m.len = 0x800;
  EXPECT_EQ(vm.unset_memseg(m), fails(EINVAL));
  m.type = ACRN_MEMMAP_RAM, m.len = 0x1000, m.user_vm_pa = 0;
  EXPECT_EQ(vm.unset_memseg(m), fails(EINVAL));
}

TEST(AcrnDevices, UnsetTakesRamFromARunningGuest) {
  AcrnVm vm("unset");
  vm.boot(X86Code().load_al(0x9000).out8(0x80).load_al(0x9000).spin());
  vm.memory()[0x9000] = 1;
  ASSERT_TRUE(vm.request());
  acrn_vm_memmap m{};
  m.type = ACRN_MEMMAP_MMIO;
  m.user_vm_pa = 0x9000;
  m.len = 0x1000;
  EXPECT_EQ(vm.unset_memseg(m), ok);
  EXPECT_TRUE(vm.reply());
  EXPECT_TRUE(eventually([&] { return vm.slot().type == ACRN_IOREQ_TYPE_MMIO && vm.processed() == ACRN_IOREQ_STATE_PROCESSING; }));
  EXPECT_EQ(vm.request(), mmio(ACRN_IOREQ_DIR_READ, 0x9000, 1));
}

TEST(AcrnDevices, PlatformDevice) {
  AcrnVm vm("tpm");
  acrn_mmiodev m{};
  std::memcpy(m.name, "tpm", 3);
  m.res[0] = {.user_vm_pa = 0xfed40000, .service_vm_pa = kTpm, .size = 0x5000, .mem_type = 0};
  EXPECT_EQ(call(vm.fd(), ACRN_IOCTL_ASSIGN_MMIODEV, &m), ok);
  EXPECT_EQ(call(vm.fd(), ACRN_IOCTL_ASSIGN_MMIODEV, &m), fails(EINVAL)) << "mapped already";
  EXPECT_EQ(call(vm.fd(), ACRN_IOCTL_DEASSIGN_MMIODEV, &m), ok);
  m.res[1] = {.user_vm_pa = 0xfed50000, .service_vm_pa = 0x1000, .size = 0x1000, .mem_type = 0};
  EXPECT_EQ(call(vm.fd(), ACRN_IOCTL_ASSIGN_MMIODEV, &m), fails(EINVAL));
  m.res[1] = {};
  EXPECT_EQ(call(vm.fd(), ACRN_IOCTL_ASSIGN_MMIODEV, &m), ok) << "a failed call left nothing mapped";
}

TEST(AcrnDevices, VirtualDeviceArguments) {
  AcrnVm vm("vdev");
  EXPECT_EQ(create(vm, vdev(0x1234, 0x5678)), fails(EINVAL));
  EXPECT_EQ(create(vm, ivshmem("")), fails(EINVAL));
  acrn_vdev v = ivshmem();
  v.io_size[2] = 0x3000;
  EXPECT_EQ(create(vm, v), fails(EINVAL)) << "no power of two";
  v = vdev(0x9710, 0x9900);
  EXPECT_EQ(create(vm, v), fails(EINVAL)) << "vUART 0 is the legacy port";
  v.args[0] = 1;
  EXPECT_EQ(create(vm, v), ok);
  EXPECT_EQ(create(vm, ivshmem()), fails(EINVAL)) << "same slot";
  acrn_vdev gone{};
  gone.slot = kVirtual;
  EXPECT_EQ(destroy(vm, gone), ok) << "by slot alone";
  EXPECT_EQ(destroy(vm, gone), fails(EINVAL));
  EXPECT_EQ(create(vm, ivshmem()), ok);
  EXPECT_EQ(create(vm, vdev(0x8086, 0x9d14, 5 << 3)), ok) << "root port";
}

// Two guests share memory, and one rings the other's doorbell.
TEST(AcrnDevices, IvshmemJoinsTwoGuests) {
  Baseline before;
  {
    AcrnIrqVm a("left"), b("right");
    ASSERT_EQ(create(a, ivshmem()), ok);
    ASSERT_EQ(create(b, ivshmem()), ok);
    Flat32 listen, ring;
    config(listen, kVirtual, 4, 2);
    // MSI-X vector 1 of the listener
    listen.store(0x80001010, 0xfee00000).store(0x80001014, 0).store(0x80001018, 0x71).store(0x8000101c, 0);
    config(listen, kVirtual, 0x40, 0x80000000);
    listen.load_eax(0x80000008).out_eax(0x90);
    b.boot_waiting(listen);
    const std::optional<Request> position = b.request();
    ASSERT_TRUE(position);
    EXPECT_TRUE(b.reply() && b.slot_becomes(ACRN_IOREQ_STATE_PROCESSING));
    EXPECT_TRUE(b.ready());
    config(ring, kVirtual, 4, 2);
    ring.store(0x80100040, 0xcafe).store(0x8000000c, static_cast<uint32_t>(position->value) << 16 | 1);
    a.boot_waiting(ring);
    EXPECT_TRUE(a.ready());
    EXPECT_EQ(b.reported(), 0x71);
    // the memory is the region's: a third guest that comes now still sees it
    AcrnIrqVm c("third");
    ASSERT_EQ(create(c, ivshmem()), ok);
    Flat32 look;
    config(look, kVirtual, 4, 2);
    c.boot_waiting(look.load_eax(0x80100040).out_eax(0x91));
    EXPECT_EQ(c.request(), pio(ACRN_IOREQ_DIR_WRITE, 0x91, 4, 0xcafe));
  }
  EXPECT_TRUE(before.restored());
}

TEST(AcrnDevices, VuartsAreWired) {
  AcrnIrqVm a("com-a"), b("com-b");
  acrn_vdev v = vdev(0x9710, 0x9900);
  v.args[0] = 2;
  ASSERT_EQ(create(a, v), ok);
  ASSERT_EQ(create(b, v), ok);
  Flat32 receive, send;
  config(receive, kVirtual, 4, 2);
  receive.store(0x80001000, 0xfee00000).store(0x80001008, 0x72).store(0x8000100c, 0);
  config(receive, kVirtual, 0x40, 0x80000000);
  // received data raises an interrupt; then the byte is read and reported
  receive.bytes({0xc6, 0x05}).bytes({0x01, 0x00, 0x00, 0x80, 0x01}).out8(AcrnIrqVm::kReadyPort, 0).bytes({0xfb, 0xf4}).bytes({0x31, 0xc0}).bytes({0xa0, 0, 0, 0, 0x80}).out_eax(0x92);
  b.boot_waiting(receive);
  EXPECT_TRUE(b.ready());
  std::this_thread::sleep_for(kWhile);
  config(send, kVirtual, 4, 2);
  send.bytes({0xc6, 0x05, 0x00, 0x00, 0x00, 0x80, 'K'});
  a.boot_waiting(send);
  EXPECT_TRUE(a.ready());
  EXPECT_EQ(b.reported(), 0x72);
  EXPECT_EQ(b.request(), pio(ACRN_IOREQ_DIR_WRITE, 0x92, 4, 'K'));
}

TEST(AcrnDevices, RemoveCpuTakesWhatScriptsWrite) {
  const auto write_file = [](const char* text) {
    const Fd fd(::open("/sys/devices/virtual/misc/acrn_hsm/remove_cpu", O_WRONLY));
    return fd.get() < 0 ? fails(errno) : result(::write(fd.get(), text, std::strlen(text)));
  };
  for (const char* bad : {"x", "0", "9999", "-1"}) EXPECT_EQ(write_file(bad), fails(EINVAL)) << bad;
  if (::access("/sys/devices/system/cpu/cpu1/online", F_OK) == 0) {
    EXPECT_EQ(write_file("1"), Result{1});
    EXPECT_EQ(::access("/sys/devices/system/cpu/cpu1", F_OK), 0);
  }
}

}  // namespace mv::glue
