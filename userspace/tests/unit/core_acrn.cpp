// SPDX-License-Identifier: MIT
// ACRN's half: states, registers, slots, configuration ports, start of other vCPUs; a vCPU stepped by hand.
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

extern "C" {
#include "core/acrn/acrn.h"
}

namespace {

constexpr u64 kRam = 1 << 20;
constexpr u32 kArena = 64 << 10;
using Code = std::vector<u8>;

class Acrn : public testing::Test {
 protected:
  explicit Acrn(u64 affinity = 1, u64 flags = 0) {
    acrn_vm_init(&*vm, 1, flags, &*requests);
    hv_memmap_fill(&vm->map, 0, kRam, ram.data(), HV_MEM_RWX);
    for (u32 i = 0; i < acrn_affinity_vcpus(affinity); ++i) {
      cpus.push_back(std::unique_ptr<acrn_vcpu, void (*)(void*)>(static_cast<acrn_vcpu*>(std::calloc(1, sizeof(acrn_vcpu))), std::free));
      arenas.emplace_back(kArena);
      acrn_vm_add_vcpu(&*vm, cpus.back().get(), acrn_affinity_apic_id(affinity, i), arenas.back().data(), kArena, kArena);
    }
  }

  static acrn_vcpu_regs real_mode(u64 rip) {
    acrn_vcpu_regs r{};
    r.vcpu_regs.rip = rip;
    r.vcpu_regs.cs_limit = 0xffff;
    r.vcpu_regs.cs_ar = 0x9f;
    r.vcpu_regs.cr0 = 0x30;
    r.vcpu_regs.idt.limit = 0x3ff;
    return r;
  }
  void boot(const Code& code) {
    std::memcpy(ram.data() + 0x1000, code.data(), code.size());
    const acrn_vcpu_regs r = real_mode(0x1000);
    ASSERT_EQ(acrn_set_vcpu_regs(&*vm, &r), 0);
    ASSERT_EQ(acrn_vm_start(&*vm), 0);
  }
  acrn_next step(u32 id = 0) {
    for (int i = 0; i < 1000; ++i) {
      const acrn_next n = acrn_vcpu_step(cpus[id].get(), 1000);
      if (n != ACRN_NEXT_AGAIN) return n;
    }
    return ACRN_NEXT_AGAIN;
  }
  acrn_io_request& slot(u32 id = 0) { return requests->req_slot[id]; }

  std::unique_ptr<acrn_core_vm> vm = std::make_unique<acrn_core_vm>();
  std::unique_ptr<acrn_io_request_buffer> requests = std::make_unique<acrn_io_request_buffer>();
  std::vector<u8> ram = std::vector<u8>(kRam);
  std::vector<std::unique_ptr<acrn_vcpu, void (*)(void*)>> cpus;
  std::vector<std::vector<u8>> arenas;
};

TEST(AcrnAffinity, BitsAreVcpus) {
  EXPECT_EQ(acrn_affinity_vcpus(0), 1u);
  EXPECT_EQ(acrn_affinity_vcpus(0b1011), 3u);
  EXPECT_EQ(acrn_affinity_vcpus(~u64{0}), 64u);
  EXPECT_EQ(acrn_affinity_apic_id(0b1011, 0), 0u);
  EXPECT_EQ(acrn_affinity_apic_id(0b1011, 2), 3u);
  EXPECT_EQ(acrn_affinity_apic_id(0b1000, 0), 3u);
  EXPECT_EQ(acrn_affinity_apic_id(0, 0), 0u);
}

TEST_F(Acrn, StateTable) {
  struct Row {
    acrn_vm_state state;
    int start, pause, reset, destroy;
  };
  for (const Row& row : {Row{ACRN_VM_POWERED_OFF, -EPERM, -EPERM, -EPERM, -EPERM}, Row{ACRN_VM_CREATED, 0, 0, -EPERM, -EPERM},
                         Row{ACRN_VM_RUNNING, -EPERM, 0, -EPERM, -EPERM}, Row{ACRN_VM_PAUSED, -EPERM, 0, 0, 0}}) {
    const auto in_state = [&](int (*call)(acrn_core_vm*)) {
      vm->state = row.state;
      return call(&*vm);
    };
    EXPECT_EQ(in_state(acrn_vm_start), row.start) << acrn_vm_state_name(row.state);
    EXPECT_EQ(in_state(acrn_vm_pause), row.pause) << acrn_vm_state_name(row.state);
    EXPECT_EQ(in_state(acrn_vm_reset), row.reset) << acrn_vm_state_name(row.state);
    EXPECT_EQ(in_state(acrn_vm_destroy), row.destroy) << acrn_vm_state_name(row.state);
  }
}

TEST_F(Acrn, SlotTakesTheFourStates) {
  EXPECT_EQ(slot().processed, ACRN_IOREQ_STATE_FREE);
  boot({0xb0, 'A', 0xba, 0xf8, 0x03, 0xee, 0xf4});  // MOV AL; MOV DX; OUT; HLT
  EXPECT_EQ(step(), ACRN_NEXT_POSTED);
  EXPECT_EQ(slot().processed, ACRN_IOREQ_STATE_PENDING);
  EXPECT_EQ(slot().type, ACRN_IOREQ_TYPE_PORTIO);
  EXPECT_EQ(slot().reqs.pio_request.value, static_cast<u32>('A'));
  EXPECT_EQ(acrn_ioreq_deliver(&*vm, 0, false), ACRN_DELIVER_NOBODY);
  EXPECT_EQ(slot().processed, ACRN_IOREQ_STATE_PENDING);
  EXPECT_EQ(acrn_ioreq_deliver(&*vm, 0, true), ACRN_DELIVER_CLIENT);
  EXPECT_EQ(slot().processed, ACRN_IOREQ_STATE_PROCESSING);
  EXPECT_FALSE(acrn_vcpu_ready(cpus[0].get()));
  EXPECT_EQ(acrn_vcpu_step(cpus[0].get(), 10), ACRN_NEXT_WAIT);
  acrn_ioreq_answer(&*vm, 0);
  EXPECT_EQ(slot().processed, ACRN_IOREQ_STATE_COMPLETE);
  EXPECT_TRUE(acrn_vcpu_ready(cpus[0].get()));
  EXPECT_EQ(step(), ACRN_NEXT_WAIT) << "halted";
  EXPECT_EQ(slot().processed, ACRN_IOREQ_STATE_FREE);
}

TEST_F(Acrn, AnswerThatNobodyAskedForIsForgotten) {
  acrn_ioreq_answer(&*vm, 0);
  boot({0xba, 0xf8, 0x03, 0xec, 0xee, 0xf4});  // IN; OUT
  EXPECT_EQ(step(), ACRN_NEXT_POSTED);
  EXPECT_FALSE(acrn_vcpu_ready(cpus[0].get()));
}

TEST_F(Acrn, UserspaceStateWordDecidesNothing) {
  boot({0xb0, 'A', 0xba, 0xf8, 0x03, 0xee, 0xf4});
  EXPECT_EQ(step(), ACRN_NEXT_POSTED);
  for (u32 scribble : {0u, 1u, 2u, 3u, ~0u}) {
    slot().processed = scribble;
    EXPECT_EQ(acrn_vcpu_step(cpus[0].get(), 10), ACRN_NEXT_WAIT) << scribble;
  }
}

TEST_F(Acrn, LatchIsServedHere) {
  // MOV EAX, 0x12345678; MOV DX, 0xCF8; OUT DX, EAX; XOR EAX, EAX; IN EAX, DX; MOV [0x9000], EAX; HLT
  boot({0x66, 0xb8, 0x78, 0x56, 0x34, 0x12, 0xba, 0xf8, 0x0c, 0x66, 0xef, 0x66, 0x31, 0xc0, 0x66, 0xed, 0x66, 0xa3, 0x00, 0x90, 0xf4});
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(step(), ACRN_NEXT_POSTED);
    EXPECT_EQ(acrn_ioreq_deliver(&*vm, 0, false), ACRN_DELIVER_DONE) << "without a client, too";
    EXPECT_EQ(slot().kernel_handled, 1u);
  }
  EXPECT_EQ(step(), ACRN_NEXT_WAIT);
  EXPECT_EQ(vm->cf8, 0x12345678u);
  EXPECT_EQ(std::memcmp(ram.data() + 0x9000, "\x78\x56\x34\x12", 4), 0);
}

// One access, posted by hand.
struct Access {
  u8 direction, size;
  u16 port;
  u32 data;
};

class AcrnFilter : public Acrn {
 protected:
  // MOV DX; IN AL, DX (whatever it is, the exit is replaced below)
  acrn_deliver deliver(u32 latch, const Access& a) {
    vm->cf8 = latch;
    hv_exit& e = cpus[0]->posted;
    e = {};
    e.kind = HV_EXIT_ACCESS;
    e.space = HV_SPACE_PIO;
    e.direction = a.direction;
    e.size = a.size;
    e.address = a.port;
    e.data = a.data;
    slot() = {};
    slot().reqs.pio_request.direction = a.direction;
    slot().reqs.pio_request.size = a.size;
    slot().reqs.pio_request.address = a.port;
    slot().reqs.pio_request.value = a.data;
    return acrn_ioreq_deliver(&*vm, 0, true);
  }
};

TEST_F(AcrnFilter, OnlyTheLatchItselfIsTaken) {
  EXPECT_EQ(deliver(0, {HV_WRITE, 4, 0xcf8, 5}), ACRN_DELIVER_DONE);
  EXPECT_EQ(deliver(0, {HV_WRITE, 1, 0xcf8, 5}), ACRN_DELIVER_DONE) << "any size";
  for (u16 port : {u16{0xcf7}, u16{0xcf9}, u16{0xcfa}, u16{0xcfb}, u16{0xd00}}) {
    EXPECT_EQ(deliver(0, {HV_WRITE, 1, port, 5}), ACRN_DELIVER_CLIENT) << std::hex << port;
    EXPECT_EQ(slot().type, ACRN_IOREQ_TYPE_PORTIO);
  }
}

TEST_F(AcrnFilter, DataPortsWithoutAnAddress) {
  for (u16 port = 0xcfc; port <= 0xcff; ++port) {
    EXPECT_EQ(deliver(0x7fffffff, {HV_READ, 1, port, 0}), ACRN_DELIVER_DONE);
    EXPECT_EQ(slot().reqs.pio_request.value, 0xffffffffu);
    EXPECT_EQ(deliver(0x7fffffff, {HV_WRITE, 1, port, 9}), ACRN_DELIVER_DONE);
    EXPECT_EQ(slot().reqs.pio_request.value, 9u);
  }
}

TEST_F(AcrnFilter, DataPortsWithAnAddressBecomeConfiguration) {
  ASSERT_EQ(deliver(0x8fabcdef & ~3u, {HV_WRITE, 2, 0xcfe, 0x1234}), ACRN_DELIVER_CLIENT);
  const acrn_pci_request& p = slot().reqs.pci_request;
  EXPECT_EQ(slot().type, ACRN_IOREQ_TYPE_PCICFG);
  EXPECT_EQ(p.bus, 0xabu);
  EXPECT_EQ(p.dev, 0xcdu >> 3);
  EXPECT_EQ(p.func, 0xcdu & 7);
  EXPECT_EQ(p.reg, 0xf00u + 0xec + 2) << "bits 27:24 are the extended register's high part";
  EXPECT_EQ(p.size, 2u);
  EXPECT_EQ(p.value, 0x1234u);
  EXPECT_EQ(p.direction, ACRN_IOREQ_DIR_WRITE);
}

TEST_F(Acrn, WritesToMemoryWithRightsOfItsOwn) {
  std::vector<u8> page(4096);
  struct Row {
    u32 rights, type;
  };
  u64 gpa = kRam;
  for (const Row& row : {Row{HV_MEM_READ, ACRN_IOREQ_TYPE_MMIO}, Row{HV_MEM_READ | HV_MEM_EXEC, 3}}) {
    ASSERT_EQ(hv_memmap_fill(&vm->map, gpa, 4096, page.data(), row.rights), 0);
    // DS base above 64 KiB is the only way there in real mode
    vm->state = ACRN_VM_CREATED;
    acrn_vcpu_regs r = real_mode(0x1000);
    const u8 store[] = {0xa2, 0x00, 0x00, 0xf4};
    std::memcpy(ram.data() + 0x1000, store, sizeof store);
    ASSERT_EQ(acrn_set_vcpu_regs(&*vm, &r), 0);
    x86_state& s = cpus[0]->scratch;
    x86_state_get(&cpus[0]->cpu, &s);
    s.seg[X86_DS].base = gpa;
    x86_state_set(&cpus[0]->cpu, &s);
    hv_cpu_forget(&cpus[0]->cpu.hv);
    ASSERT_EQ(acrn_vm_start(&*vm), 0);
    EXPECT_EQ(step(), ACRN_NEXT_POSTED);
    EXPECT_EQ(slot().type, row.type);
    EXPECT_EQ(slot().reqs.mmio_request.address, gpa);
    gpa += 4096;
  }
}

TEST_F(Acrn, TripleFaultIsAWriteOfS5) {
  boot({0xcc});
  x86_state& s = cpus[0]->scratch;
  x86_state_get(&cpus[0]->cpu, &s);
  s.idt.limit = 0;
  x86_state_set(&cpus[0]->cpu, &s);
  EXPECT_EQ(step(), ACRN_NEXT_POSTED);
  EXPECT_EQ(slot().reqs.pio_request.address, 0x404u);
  EXPECT_EQ(slot().reqs.pio_request.size, 2u);
  EXPECT_EQ(slot().reqs.pio_request.value, 0x3400u);
  acrn_ioreq_answer(&*vm, 0);
  EXPECT_EQ(step(), ACRN_NEXT_WAIT);
  EXPECT_EQ(cpus[0]->state, ACRN_VCPU_ZOMBIE);
  EXPECT_FALSE(acrn_vcpu_ready(cpus[0].get()));
}

TEST_F(Acrn, ResetForgetsTheRequest) {
  boot({0xba, 0xf8, 0x03, 0xec, 0xf4});
  EXPECT_EQ(step(), ACRN_NEXT_POSTED);
  ASSERT_EQ(acrn_vm_pause(&*vm), 0);
  ASSERT_EQ(acrn_vm_reset(&*vm), 0);
  EXPECT_EQ(slot().processed, ACRN_IOREQ_STATE_FREE);
  EXPECT_EQ(cpus[0]->state, ACRN_VCPU_INIT);
  boot({0xba, 0xf9, 0x03, 0xec, 0xf4});
  EXPECT_EQ(step(), ACRN_NEXT_POSTED);
  EXPECT_EQ(slot().reqs.pio_request.address, 0x3f9u);
}

class AcrnTwo : public Acrn {
 protected:
  AcrnTwo() : Acrn(0b11) {}
  void ipi(u32 icr) {
    // 32-bit store to the APIC, by a vCPU whose DS starts there
    const u8 code[] = {0x66, 0xa3, 0x00, 0x03, 0xf4};
    std::memcpy(ram.data() + 0x1000, code, sizeof code);
    x86_state& s = cpus[0]->scratch;
    x86_state_get(&cpus[0]->cpu, &s);
    s.rip = 0x1000;
    s.gpr[X86_RAX] = icr;
    s.seg[X86_DS].base = LAPIC_BASE;
    x86_state_set(&cpus[0]->cpu, &s);
    cpus[0]->cpu.hv.idle = 0;
    EXPECT_EQ(step(0), ACRN_NEXT_WAIT) << "served without a request, then halted";
  }
};

TEST_F(AcrnTwo, SecondStartsByInitAndSipi) {
  boot({0xf4});
  EXPECT_EQ(step(0), ACRN_NEXT_WAIT);
  EXPECT_EQ(step(1), ACRN_NEXT_WAIT);
  EXPECT_FALSE(acrn_vcpu_ready(cpus[1].get()));
  const u8 out[] = {0xb0, 's', 0xe6, 0x80, 0xf4};
  std::memcpy(ram.data() + 0x5000, out, sizeof out);
  ipi(0xc4500);
  ipi(0xc4605);
  EXPECT_TRUE(acrn_vcpu_ready(cpus[1].get()));
  EXPECT_EQ(step(1), ACRN_NEXT_POSTED);
  EXPECT_EQ(slot(1).reqs.pio_request.value, static_cast<u32>('s'));
  EXPECT_EQ(slot(0).processed, ACRN_IOREQ_STATE_FREE);
}

TEST_F(AcrnTwo, StartUpOfARunningVcpuIsIgnored) {
  boot({0xf4});
  const u8 halt[] = {0xf4};
  std::memcpy(ram.data() + 0x5000, halt, sizeof halt);
  ipi(0xc4500);
  ipi(0xc4605);
  EXPECT_EQ(step(1), ACRN_NEXT_WAIT);
  EXPECT_EQ(cpus[1]->state, ACRN_VCPU_RUNNING);
  const u64 rip = cpus[1]->cpu.rip;
  ipi(0xc4606);
  EXPECT_EQ(step(1), ACRN_NEXT_WAIT);
  EXPECT_EQ(cpus[1]->lapic.sipi, 0u);
  EXPECT_EQ(cpus[1]->cpu.rip, rip);
}

// Guests compare the counters of two processors: a start that takes time between reading and setting must not count.
TEST_F(AcrnTwo, StartingDoesNotMoveTheTsc) {
  cpus[0]->cpu.tsc_offset = cpus[1]->cpu.tsc_offset = 12345;
  boot({0xf4});
  EXPECT_EQ(cpus[0]->cpu.tsc_offset, 12345u);
  cpus[1]->lapic.sipi = 0x105;
  acrn_vcpu_step(cpus[1].get(), 1);
  EXPECT_EQ(cpus[1]->state, ACRN_VCPU_RUNNING);
  EXPECT_EQ(cpus[1]->cpu.tsc_offset, 12345u);
}

// One package: the core's bits of the APIC id are what leaf 0xb says, and leaves 1 and 4 agree.
TEST_F(AcrnTwo, TopologyLeavesAgree) {
  u32 one[4], four[4], thread[4], core[4];
  x86_cpuid_read(&cpus[1]->cpu, 1, 0, one);
  x86_cpuid_read(&cpus[1]->cpu, 4, 0, four);
  x86_cpuid_read(&cpus[1]->cpu, 0xb, 0, thread);
  x86_cpuid_read(&cpus[1]->cpu, 0xb, 1, core);
  EXPECT_EQ(one[1] >> 16 & 0xff, 16u);
  EXPECT_EQ(four[0] >> 26, 15u);
  EXPECT_EQ(thread[0], 0u);
  EXPECT_EQ(thread[2], 0x100u);
  EXPECT_EQ(1u << core[0], 16u);
  EXPECT_EQ(core[2], 0x201u);
  EXPECT_EQ(core[3], 1u) << "x2APIC id";
}

}  // namespace
