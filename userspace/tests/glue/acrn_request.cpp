// SPDX-License-Identifier: MIT
// ACRN: the I/O request client, slots, configuration ports.
#include <gtest/gtest.h>

#include "glue/acrn_vm.h"
#include "glue/runner.h"

namespace mv::glue {

using namespace std::chrono_literals;

constexpr uint32_t kRead = ACRN_IOREQ_DIR_READ, kWrite = ACRN_IOREQ_DIR_WRITE;

TEST(AcrnRequest, Statement19_ClientLife) {
  AcrnVm vm;
  EXPECT_EQ(vm.attach(), fails(ENODEV));
  EXPECT_EQ(vm.create_client(), ok);
  EXPECT_EQ(vm.create_client(), fails(EEXIST));
  EXPECT_EQ(vm.destroy_client(), ok);
  EXPECT_EQ(vm.destroy_client(), ok);
  EXPECT_EQ(vm.create_client(), ok);
}

TEST(AcrnRequest, Statement20_SignalEndsAttachWithSuccess) {
  AcrnVm vm;
  ASSERT_EQ(vm.create_client(), ok);
  for (int i = 0; i < 2; ++i) {
    Runner r([&] { return vm.attach(); });
    EXPECT_TRUE(r.blocks());
    r.signal();
    EXPECT_EQ(r.result(), ok) << "not EINTR";
    EXPECT_EQ(vm.processed(), ACRN_IOREQ_STATE_FREE);
  }
}

TEST(AcrnRequest, Statement21_DestroyWakesAttach) {
  AcrnVm vm;
  ASSERT_EQ(vm.create_client(), ok);
  Runner r([&] { return vm.attach(); });
  EXPECT_TRUE(r.blocks());
  EXPECT_EQ(vm.destroy_client(), ok);
  EXPECT_EQ(r.result(), fails(ENODEV));
}

TEST(AcrnRequest, Statement21_DestroyVmWakesAttach) {
  AcrnVm vm;
  vm.boot(X86Code().spin());
  Runner r([&] { return vm.attach(); });
  EXPECT_TRUE(r.blocks());
  EXPECT_EQ(vm.pause(), ok);
  EXPECT_TRUE(r.blocks()) << "a pause is none of its business";
  EXPECT_EQ(vm.destroy(), ok);
  EXPECT_EQ(r.result(), fails(ENODEV));
}

TEST(AcrnRequest, Statement21_ManyWaitersAllWake) {
  AcrnVm vm;
  ASSERT_EQ(vm.create_client(), ok);
  std::vector<std::unique_ptr<Runner>> all;
  for (int i = 0; i < 4; ++i) all.push_back(std::make_unique<Runner>([&] { return vm.attach(); }));
  for (auto& r : all) EXPECT_TRUE(r->blocks());
  EXPECT_EQ(vm.destroy_client(), ok);
  EXPECT_EQ(vm.create_client(), ok) << "a new client does not bring the old waiters back";
  for (auto& r : all) EXPECT_EQ(r->result(), fails(ENODEV));
}

TEST(AcrnRequest, Statement22_AttachIsLevelTriggered) {
  AcrnVm vm;
  vm.boot(X86Code().mov_al('A').out8(0x3f8).spin());
  ASSERT_TRUE(vm.request());
  EXPECT_EQ(vm.attach(), ok);
  EXPECT_EQ(vm.attach(), ok) << "at once, the request is still out";
  EXPECT_EQ(vm.notify(), ok);
  Runner r([&] { return vm.attach(); });
  EXPECT_TRUE(r.blocks());
}

TEST(AcrnRequest, Statement22_RequestWakesAttach) {
  AcrnVm vm;
  vm.load(X86Code().mov_al('A').out8(0x3f8).spin());
  ASSERT_EQ(vm.set_regs(real_mode(AcrnVm::kCode)), ok);
  ASSERT_EQ(vm.create_client(), ok);
  Runner r([&] { return vm.attach(); });
  EXPECT_TRUE(r.blocks());
  ASSERT_EQ(vm.start(), ok);
  EXPECT_EQ(r.result(), ok);
  EXPECT_EQ(vm.processed(), ACRN_IOREQ_STATE_PROCESSING);
}

TEST(AcrnRequest, Statement23_PortWriteSlot) {
  AcrnVm vm;
  vm.boot(X86Code().mov_al('A').out8(0x3f8).mov_al(1).store_al(0x9000).mov_al('B').out8(0x3f8).spin());
  EXPECT_EQ(vm.request(), pio(kWrite, 0x3f8, 1, 'A'));
  EXPECT_EQ(vm.slot().kernel_handled, 0u);
  EXPECT_EQ(vm.slot().completion_polling, 0u);
  std::this_thread::sleep_for(kWhile);
  EXPECT_EQ(vm.memory()[0x9000], 0) << "the vCPU waits for NOTIFY";
  EXPECT_EQ(vm.notify(), ok);
  EXPECT_EQ(vm.request(), pio(kWrite, 0x3f8, 1, 'B'));
  EXPECT_EQ(vm.memory()[0x9000], 1);
  EXPECT_EQ(vm.notify(), ok);
  EXPECT_TRUE(vm.slot_becomes(ACRN_IOREQ_STATE_FREE));
}

TEST(AcrnRequest, Statement23_SizesAndMemory) {
  AcrnVm vm;
  // MOV EAX, [0xD0000004] takes a 32-bit address: real mode's limit forbids it, so memory above 64 KiB is tried elsewhere
  vm.boot(X86Code().mov_eax(0x81828384).out16(0x3fa).out32(0x3fc).spin());
  EXPECT_EQ(vm.request(), pio(kWrite, 0x3fa, 2, 0x8384));
  EXPECT_TRUE(vm.reply());
  EXPECT_EQ(vm.request(), pio(kWrite, 0x3fc, 4, 0x81828384));
}

TEST(AcrnRequest, Statement24_PortReadMergesLowBytes) {
  AcrnVm vm;
  vm.boot(X86Code().mov_eax(0x11223344).in8(0x60).store_eax(0x9000).in16(0x60).store_eax(0x9004).in32(0x60).store_eax(0x9008).out8(0x80).spin());
  const auto stored = [&](unsigned at) { return *reinterpret_cast<uint32_t*>(vm.memory() + 0x9000 + at); };
  EXPECT_EQ(vm.request(), pio(kRead, 0x60, 1));
  EXPECT_TRUE(vm.reply(0xdeadbeef));
  EXPECT_EQ(vm.request(), pio(kRead, 0x60, 2));
  EXPECT_EQ(stored(0), 0x112233efu);
  EXPECT_TRUE(vm.reply(0xdeadbeef));
  EXPECT_EQ(vm.request(), pio(kRead, 0x60, 4));
  EXPECT_EQ(stored(4), 0x1122beefu);
  EXPECT_TRUE(vm.reply(0xdeadbeef));
  ASSERT_TRUE(vm.request());
  EXPECT_EQ(stored(8), 0xdeadbeefu);
}

TEST(AcrnRequest, Statement25_NotifyChecks) {
  AcrnVm vm;
  EXPECT_EQ(vm.notify({.vmid = 0, .reserved = 0, .vcpu = 9}), ok) << "no client: nothing is looked at";
  vm.boot(X86Code().mov_al('A').out8(0x3f8).mov_al('B').out8(0x3f8).mov_al('C').out8(0x3f8).spin());
  ASSERT_TRUE(vm.request());
  EXPECT_EQ(vm.notify({.vmid = 0, .reserved = 1, .vcpu = 0}), fails(EINVAL));
  EXPECT_EQ(vm.notify({.vmid = 0, .reserved = 0, .vcpu = vm.vcpus()}), fails(EINVAL));
  EXPECT_EQ(vm.processed(), ACRN_IOREQ_STATE_PROCESSING);
  EXPECT_EQ(vm.notify({.vmid = 0, .reserved = 0, .vcpu = 0x10000}), ok) << "cut to 16 bits";
  EXPECT_EQ(vm.request(), pio(kWrite, 0x3f8, 1, 'B'));
  EXPECT_EQ(vm.notify({.vmid = 0xbad, .reserved = 0, .vcpu = 0}), ok) << "vmid is ignored";
  EXPECT_EQ(vm.request(), pio(kWrite, 0x3f8, 1, 'C'));
}

TEST(AcrnRequest, Statement26_NotifyWithNothingOut) {
  AcrnVm vm;
  ASSERT_EQ(vm.create_client(), ok);
  EXPECT_EQ(vm.notify(), ok) << "before the start";
  ASSERT_EQ(vm.destroy_client(), ok);
  vm.boot(X86Code().load_al(0x9000).bytes({0x3c, 1, 0x75, 0xf9}).mov_al('A').out8(0x3f8).mov_al('B').out8(0x3f8).spin());
  EXPECT_EQ(vm.notify(), ok) << "while the guest runs";
  vm.memory()[0x9000] = 1;
  EXPECT_EQ(vm.request(), pio(kWrite, 0x3f8, 1, 'A'));
  std::this_thread::sleep_for(kWhile);
  EXPECT_EQ(vm.processed(), ACRN_IOREQ_STATE_PROCESSING) << "the early NOTIFY answers nothing that came later";
  EXPECT_TRUE(vm.reply());
  EXPECT_EQ(vm.request(), pio(kWrite, 0x3f8, 1, 'B'));
}

TEST(AcrnRequest, Statement27_AddressLatchStaysInTheKernel) {
  AcrnVm vm;
  // with bit 31 clear, data reads give all ones; nothing of it reaches the client
  vm.boot(X86Code()
              .mov_eax(0x00010a14).out32(0xcf8).mov_eax(0).in32(0xcf8).store_eax(0x9000)
              .in32(0xcfc).store_eax(0x9004).out32(0xcfc).mov_al('E').out8(0x3f8).spin());
  EXPECT_EQ(vm.request(), pio(kWrite, 0x3f8, 1, 'E')) << "the first request";
  EXPECT_EQ(*reinterpret_cast<uint32_t*>(vm.memory() + 0x9000), 0x00010a14u);
  EXPECT_EQ(*reinterpret_cast<uint32_t*>(vm.memory() + 0x9004), 0xffffffffu);
}

TEST(AcrnRequest, Statement27_AddressLatchNeedsNoClient) {
  AcrnVm vm;
  vm.load(X86Code().mov_eax(0x12345678).out32(0xcf8).in32(0xcf8).store_eax(0x9000).spin());
  ASSERT_EQ(vm.set_regs(real_mode(AcrnVm::kCode)), ok);
  ASSERT_EQ(vm.start(), ok);
  EXPECT_TRUE(eventually([&] { return *reinterpret_cast<volatile uint32_t*>(vm.memory() + 0x9000) == 0x12345678; }));
}

TEST(AcrnRequest, Statement27_ConfigurationRequest) {
  AcrnVm vm;
  vm.boot(X86Code().mov_eax(0x80010a14).out32(0xcf8).in16(0xcfe).bytes({0xa3}).imm16(0x9000).out8(0x80).spin());
  ASSERT_TRUE(vm.slot_becomes(ACRN_IOREQ_STATE_PROCESSING));
  const acrn_io_request& s = vm.slot();
  EXPECT_EQ(s.type, ACRN_IOREQ_TYPE_PCICFG);
  EXPECT_EQ(s.reqs.pci_request.direction, kRead);
  EXPECT_EQ(s.reqs.pci_request.size, 2u);
  EXPECT_EQ(s.reqs.pci_request.bus, 1u);
  EXPECT_EQ(s.reqs.pci_request.dev, 1u);
  EXPECT_EQ(s.reqs.pci_request.func, 2u);
  EXPECT_EQ(s.reqs.pci_request.reg, 0x16u);
  EXPECT_TRUE(vm.reply(0x1af4));
  ASSERT_TRUE(vm.request());
  EXPECT_EQ(*reinterpret_cast<uint16_t*>(vm.memory() + 0x9000), 0x1af4);
}

TEST(AcrnRequest, Statement27_ResetKeepsTheLatch) {
  AcrnVm vm;
  vm.boot(X86Code().mov_eax(0x1234).out32(0xcf8).out8(0x80).spin());
  ASSERT_TRUE(vm.request());
  ASSERT_EQ(vm.pause(), ok);
  ASSERT_EQ(vm.clear_requests(), ok);
  ASSERT_EQ(vm.reset(), ok);
  vm.load(X86Code().in32(0xcf8).store_eax(0x9000).out8(0x81).spin());
  ASSERT_EQ(vm.set_regs(real_mode(AcrnVm::kCode)), ok);
  ASSERT_EQ(vm.start(), ok);
  ASSERT_TRUE(vm.request());
  EXPECT_EQ(*reinterpret_cast<uint32_t*>(vm.memory() + 0x9000), 0x1234u);
}

TEST(AcrnRequest, Statement28_NeighboursOfTheLatchAreOrdinary) {
  AcrnVm vm;
  vm.boot(X86Code().mov_al(6).out8(0xcf9).out8(0xcfb).spin());
  EXPECT_EQ(vm.request(), pio(kWrite, 0xcf9, 1, 6));
  EXPECT_TRUE(vm.reply());
  EXPECT_EQ(vm.request(), pio(kWrite, 0xcfb, 1, 6));
}

TEST(AcrnRequest, RequestBeforeAnyClientWaitsForTheNextLook) {
  AcrnVm vm("glue", 0b1);
  vm.load(X86Code().mov_al('A').out8(0x3f8).spin());
  ASSERT_EQ(vm.set_regs(real_mode(AcrnVm::kCode)), ok);
  ASSERT_EQ(vm.start(), ok);
  EXPECT_TRUE(vm.slot_becomes(ACRN_IOREQ_STATE_PENDING));
  ASSERT_EQ(vm.create_client(), ok);
  std::this_thread::sleep_for(kWhile);
  EXPECT_EQ(vm.processed(), ACRN_IOREQ_STATE_PENDING) << "a client that comes later is not looked for";
  EXPECT_EQ(vm.pause(), ok);
}

TEST(AcrnRequest, ScribbledSlotHurtsNobody) {
  AcrnVm vm;
  vm.boot(X86Code().mov_al('A').out8(0x3f8).jump_to_start());
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(vm.slot_becomes(ACRN_IOREQ_STATE_PROCESSING));
    std::memset(&vm.slot(), i % 2 ? 0xff : 0, sizeof(acrn_io_request));
    ASSERT_EQ(vm.notify(), ok);
  }
  EXPECT_EQ(vm.pause(), ok);
}

}  // namespace mv::glue
