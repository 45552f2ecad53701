// SPDX-License-Identifier: MIT
// /dev/mockvisor's calls for the state of an ACRN VM: what they refuse, and that any state at all hurts nobody but its guest.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <mockvisor.h>
#include <sys/eventfd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <thread>

#include "glue/acrn_irq_vm.h"
#include "glue/runner.h"
#include "glue/system.h"

namespace mv::glue {

namespace {

class Control {
 public:
  template <typename T>
  Result operator()(unsigned long number, T* argument) const {
    return call(fd_.get(), number, argument);
  }
  int fd() const { return fd_.get(); }

 private:
  Fd fd_{::open("/dev/mockvisor", O_RDWR | O_CLOEXEC)};
};

constexpr unsigned long kOfVcpus[] = {MOCKVISOR_X86_STATE_GET, MOCKVISOR_X86_STATE_SET, MOCKVISOR_X86_CPUID_SET, MOCKVISOR_VCPU_HOLD};
constexpr unsigned long kAll[] = {MOCKVISOR_X86_STATE_GET, MOCKVISOR_X86_STATE_SET, MOCKVISOR_X86_CPUID_SET, MOCKVISOR_VCPU_HOLD,
                                  MOCKVISOR_X86_CHIP_GET,  MOCKVISOR_X86_CHIP_SET,  MOCKVISOR_X86_PIN,       MOCKVISOR_MEMORY_FORGET,
                                  MOCKVISOR_X86_ENDS_WATCH, MOCKVISOR_X86_ENDS_TAKE};

template <typename T>
T of(const AcrnVm& vm, uint32_t vcpu = 0) {
  T t{};
  t.vm_fd = vm.fd();
  if constexpr (requires { t.vcpu; }) t.vcpu = vcpu;
  return t;
}

// Every one of them begins with the VM's descriptor; most go on with the vCPU's number.
struct Argument {
  explicit Argument(int vm, uint32_t vcpu = 0) {
    std::memcpy(bytes, &vm, 4);
    std::memcpy(bytes + 4, &vcpu, 4);
  }
  alignas(8) uint8_t bytes[4096] = {};
};

}  // namespace

TEST(AcrnImage, EveryCallKnowsAVm) {
  const Control control;
  const Fd event(::eventfd(0, EFD_CLOEXEC));
  AcrnDevice none;
  for (unsigned long number : kAll) {
    EXPECT_EQ(control(number, static_cast<void*>(nullptr)), fails(EFAULT)) << std::hex << number;
    EXPECT_EQ(control(number, Argument(-1).bytes), fails(EBADF)) << std::hex << number;
    EXPECT_EQ(control(number, Argument(event.get()).bytes), fails(EINVAL)) << std::hex << number;
    EXPECT_EQ(control(number, Argument(control.fd()).bytes), fails(EINVAL)) << std::hex << number;
    EXPECT_EQ(control(number, Argument(none.fd()).bytes), fails(EINVAL)) << std::hex << number;
  }
}

TEST(AcrnImage, EveryCallKnowsItsVcpus) {
  const Control control;
  AcrnVm vm("images", 0b11);
  for (unsigned long number : kOfVcpus) {
    EXPECT_EQ(control(number, Argument(vm.fd(), 2).bytes), fails(ENOENT)) << std::hex << number;
    EXPECT_EQ(control(number, Argument(vm.fd(), ~0u).bytes), fails(ENOENT)) << std::hex << number;
  }
}

TEST(AcrnImage, ReservedFieldsAreZero) {
  const Control control;
  AcrnVm vm("images");
  auto state = of<mockvisor_x86_state>(vm);
  ASSERT_EQ(control(MOCKVISOR_X86_STATE_GET, &state), ok);
  for (auto& r : state.reserved) {
    r = 1;
    EXPECT_EQ(control(MOCKVISOR_X86_STATE_SET, &state), fails(EINVAL));
    r = 0;
  }
  auto cpuid = of<mockvisor_x86_cpuid>(vm);
  cpuid.reserved = 1;
  EXPECT_EQ(control(MOCKVISOR_X86_CPUID_SET, &cpuid), fails(EINVAL));
  mockvisor_vcpu_hold hold{vm.fd(), 0, 1, 1};
  EXPECT_EQ(control(MOCKVISOR_VCPU_HOLD, &hold), fails(EINVAL));
  hold = {vm.fd(), 0, 2, 0};
  EXPECT_EQ(control(MOCKVISOR_VCPU_HOLD, &hold), fails(EINVAL));
  mockvisor_x86_pin pin{vm.fd(), 2, 0, 1, 1};
  EXPECT_EQ(control(MOCKVISOR_X86_PIN, &pin), fails(EINVAL));
  mockvisor_memory_forget forget{vm.fd(), 1, 0, AcrnVm::kMemory};
  EXPECT_EQ(control(MOCKVISOR_MEMORY_FORGET, &forget), fails(EINVAL));
}

TEST(AcrnImage, RangesOfNumbers) {
  const Control control;
  AcrnVm vm("images");
  mockvisor_x86_leaf leaf{};
  auto cpuid = of<mockvisor_x86_cpuid>(vm);
  cpuid.leaves = reinterpret_cast<uintptr_t>(&leaf);
  cpuid.count = 257;
  EXPECT_EQ(control(MOCKVISOR_X86_CPUID_SET, &cpuid), fails(E2BIG));
  cpuid.count = ~0u;
  EXPECT_EQ(control(MOCKVISOR_X86_CPUID_SET, &cpuid), fails(E2BIG));
  cpuid.count = 256;
  cpuid.leaves = 8;
  EXPECT_EQ(control(MOCKVISOR_X86_CPUID_SET, &cpuid), fails(EFAULT));
  auto chip = of<mockvisor_x86_chip>(vm);
  ASSERT_EQ(control(MOCKVISOR_X86_CHIP_GET, &chip), ok);
  for (uint32_t pins : {0u, 49u, ~0u}) {
    chip.pins = pins;
    EXPECT_EQ(control(MOCKVISOR_X86_CHIP_SET, &chip), fails(EINVAL)) << pins;
  }
  for (const mockvisor_x86_pin pin : {mockvisor_x86_pin{vm.fd(), 1, 0, 1, 0}, {vm.fd(), 3, 0, 1, 0}, {vm.fd(), 0, 16, 1, 0}, {vm.fd(), 2, 48, 1, 0}, {vm.fd(), 2, 0xffff, 1, 0}}) {
    EXPECT_EQ(control(MOCKVISOR_X86_PIN, &pin), fails(EINVAL)) << pin.controller << ' ' << pin.pin;
  }
  for (const mockvisor_memory_forget forget : {mockvisor_memory_forget{vm.fd(), 0, 0, 0}, {vm.fd(), 0, 0, 4096}, {vm.fd(), 0, 4096, AcrnVm::kMemory}, {vm.fd(), 0, ~0ull, ~0ull}}) {
    EXPECT_EQ(control(MOCKVISOR_MEMORY_FORGET, &forget), fails(ENOENT)) << forget.gpa << ' ' << forget.len;
  }
}

TEST(AcrnImage, EndsHaveAnEventfdAndInputsThatExist) {
  const Control control;
  const Fd event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  AcrnVm vm("images");
  mockvisor_x86_ends ends{vm.fd(), event.get(), 1 << 16, 0};
  EXPECT_EQ(control(MOCKVISOR_X86_ENDS_WATCH, &ends), fails(EINVAL));
  ends = {vm.fd(), event.get(), 0, 1ull << 48};
  EXPECT_EQ(control(MOCKVISOR_X86_ENDS_WATCH, &ends), fails(EINVAL));
  ends = {vm.fd(), vm.fd(), 0, 0};
  EXPECT_EQ(control(MOCKVISOR_X86_ENDS_WATCH, &ends), fails(EINVAL)) << "no eventfd";
  ends = {vm.fd(), -2, 0, 0};
  EXPECT_EQ(control(MOCKVISOR_X86_ENDS_WATCH, &ends), fails(EBADF));
  ends = {vm.fd(), event.get(), 0xffff, (1ull << 48) - 1};
  EXPECT_EQ(control(MOCKVISOR_X86_ENDS_WATCH, &ends), ok);
  EXPECT_EQ(control(MOCKVISOR_X86_ENDS_WATCH, &ends), ok) << "another in its place";
  EXPECT_EQ(control(MOCKVISOR_X86_ENDS_TAKE, &ends), ok);
  EXPECT_EQ(ends.pic | ends.ioapic, 0u);
  // the VM is gone, and its eventfd with it
}

TEST(AcrnImage, AHeldVcpuStandsStill) {
  const Control control;
  AcrnVm vm("held");
  vm.boot(X86Code().bytes({0xff, 0x06, 0x00, 0x90, 0xeb, 0xfa}));  // again: inc word [9000h]; jmp again
  const auto word = [&] { return *reinterpret_cast<volatile uint16_t*>(vm.memory() + 0x9000); };
  ASSERT_TRUE(eventually([&] { return word() != 0; }));
  mockvisor_vcpu_hold hold{vm.fd(), 0, 1, 0};
  EXPECT_EQ(control(MOCKVISOR_VCPU_HOLD, &hold), ok);
  EXPECT_EQ(control(MOCKVISOR_VCPU_HOLD, &hold), ok) << "twice";
  const uint16_t before = word();
  std::this_thread::sleep_for(10ms);
  EXPECT_EQ(word(), before);
  EXPECT_EQ(vm.pause(), ok);
  hold.on = 0;
  EXPECT_EQ(control(MOCKVISOR_VCPU_HOLD, &hold), ok) << "the VM is paused";
  EXPECT_EQ(word(), before);
}

// Held while its access is out: the answer finishes the instruction and no other.
TEST(AcrnImage, HeldInsideAnInstruction) {
  const Control control;
  AcrnVm vm("inside");
  vm.boot(X86Code().in8(0x500).store_al(0x9000).spin());
  ASSERT_TRUE(vm.request());
  mockvisor_vcpu_hold hold{vm.fd(), 0, 1, 0};
  EXPECT_EQ(control(MOCKVISOR_VCPU_HOLD, &hold), fails(EBUSY));
  vm.slot().reqs.pio_request.value = 0x5a;
  ASSERT_EQ(vm.notify(), ok);
  std::this_thread::sleep_for(10ms);
  EXPECT_EQ(vm.memory()[0x9000], 0);
  EXPECT_EQ(control(MOCKVISOR_VCPU_HOLD, &hold), ok);
  auto state = of<mockvisor_x86_state>(vm);
  ASSERT_EQ(control(MOCKVISOR_X86_STATE_GET, &state), ok);
  EXPECT_EQ(state.gpr[0] & 0xff, 0x5au);
  EXPECT_EQ(state.rip, AcrnVm::kCode + 4u);
  EXPECT_EQ(vm.memory()[0x9000], 0);
  hold.on = 0;
  EXPECT_EQ(control(MOCKVISOR_VCPU_HOLD, &hold), ok);
  EXPECT_TRUE(eventually([&] { return static_cast<volatile uint8_t*>(vm.memory())[0x9000] == 0x5a; }));
}

// Some bytes of what lies from `begin` to `end`, or all of them.
template <typename T>
void spoil(T& t, size_t begin, size_t end, bool all, std::mt19937_64& random) {
  auto* bytes = reinterpret_cast<uint8_t*>(&t);
  if (all) {
    for (size_t n = begin; n < end; ++n) bytes[n] = static_cast<uint8_t>(random());
  } else {
    for (size_t n = random() % 40; n; --n) bytes[begin + random() % (end - begin)] = static_cast<uint8_t>(random());
  }
}

void one_life(const Control& control, std::mt19937_64& random) {
  AcrnIrqVm vm("any", 0b11);
  vm.boot_flat(Flat32().bytes({0x40, 0xe6, 0x80, 0xeb, 0xfb}));  // again: inc eax; out 80h, al; jmp again
  const Fd event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  auto state = of<mockvisor_x86_state>(vm);
  auto chip = of<mockvisor_x86_chip>(vm);
  ASSERT_EQ(control(MOCKVISOR_X86_STATE_GET, &state), ok);
  ASSERT_EQ(control(MOCKVISOR_X86_CHIP_GET, &chip), ok);
  for (int round = 0; round < 30; ++round) {
    const auto vcpu = static_cast<uint32_t>(random() % 2);
    mockvisor_x86_state wild = state;
    spoil(wild, offsetof(mockvisor_x86_state, gpr), offsetof(mockvisor_x86_state, reserved), round % 3 == 0, random);
    wild.vcpu = vcpu;
    if (round % 2) wild.waits = 0;
    EXPECT_EQ(control(MOCKVISOR_X86_STATE_SET, &wild), ok);
    if (round % 4 == 0) {
      spoil(chip, offsetof(mockvisor_x86_chip, pic), sizeof(chip), true, random);
      chip.pins = 1 + static_cast<uint32_t>(random() % 48);
      EXPECT_EQ(control(MOCKVISOR_X86_CHIP_SET, &chip), ok);
    }
    for (uint16_t n = 0; n < 4; ++n) {
      const mockvisor_x86_pin pin{vm.fd(), static_cast<uint16_t>(n % 2 * 2), static_cast<uint16_t>(random() % 16), static_cast<uint32_t>(random() % 2), 0};
      (void)control(MOCKVISOR_X86_PIN, &pin);
    }
    mockvisor_x86_ends ends{vm.fd(), random() % 2 ? event.get() : -1, random() & 0xffff, random() & 0xffffffffffff};
    EXPECT_EQ(control(MOCKVISOR_X86_ENDS_WATCH, &ends), ok);
    EXPECT_EQ(control(MOCKVISOR_X86_ENDS_TAKE, &ends), ok);
    (void)vm.inject_msi(0xfee00000, random() & 0xff);
    (void)vm.notify(vcpu);
    mockvisor_vcpu_hold hold{vm.fd(), vcpu, static_cast<uint32_t>(random() % 2), 0};
    (void)control(MOCKVISOR_VCPU_HOLD, &hold);
    if (round % 8 == 0) std::this_thread::sleep_for(1ms);
    auto now = of<mockvisor_x86_state>(vm, vcpu);
    EXPECT_EQ(control(MOCKVISOR_X86_STATE_GET, &now), ok);
  }
  EXPECT_EQ(vm.pause(), ok);
}

TEST(AcrnImage, AnyStateHurtsItsGuestOnly) {
  const char* given = std::getenv("MV_SEED");
  const unsigned seed = given ? static_cast<unsigned>(std::atoi(given)) : 20261121;
  std::printf("MV_SEED=%u\n", seed);
  std::mt19937_64 random(seed);
  const Control control;
  const Baseline before;
  for (int lives = 0; lives < 5; ++lives) one_life(control, random);
  EXPECT_TRUE(before.restored());
}

}  // namespace mv::glue
