// SPDX-License-Identifier: MIT
// A client that makes the calls of acrn-dm in acrn-dm's order: start, system reset, full reset, S5, and interrupts from other
// threads meanwhile.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstring>
#include <memory>
#include <thread>

#include "glue/acrn_irq_vm.h"
#include "glue/runner.h"
#include "glue/system.h"

namespace mv::glue {

namespace {

constexpr unsigned long kSetupAsyncIo = 0x4008a290, kSetupVmEventRing = 0x4008a2a0;
constexpr uint16_t kPhasePort = 0x510, kResetPort = 0xcf9, kPm1Control = 0x404;

enum class Next { go_on, system_reset, full_reset, power_off };

class DeviceModel {
 public:
  DeviceModel() {
    tables();
    guest();
  }

  // Lives until the guest powers off.  Which phases the guest reported, in order.
  std::vector<unsigned> run() {
    for (;;) {
      Next end = Next::power_off;
      life(end);
      if (end != Next::full_reset) return phases_;
    }
  }
  unsigned interrupts() const { return interrupts_; }

 private:
  // Steps 1 to 8 of the real client, and its end.
  void life(Next& end) {
    dev_ = std::make_unique<AcrnDevice>();
    create();
    EXPECT_EQ(call(dev_->fd(), kSetupAsyncIo, buffer_.bytes()), fails(ENOTTY));
    EXPECT_EQ(dev_->set_memseg(ram(0, memory_.address(), memory_.size())), ok);
    for (uint32_t pin = 16; pin < 24; ++pin) EXPECT_EQ(dev_->set_irqline(pin, 0), ok) << "active-low lines";
    for (uint32_t pin = 16; pin < 24; ++pin) EXPECT_EQ(dev_->set_irqline(pin, 1), ok);
    EXPECT_EQ(call(dev_->fd(), kSetupVmEventRing, buffer_.bytes()), fails(ENOTTY));
    ask_power_states();
    set_registers();
    done_ = false;
    std::thread injector([this] { inject(); });
    std::thread loop([&] { end = serve(); });
    // the main thread waits for the end of the machine
    while (!done_) std::this_thread::sleep_for(1ms);
    EXPECT_EQ(dev_->pause(), ok);
    EXPECT_EQ(dev_->destroy_client(), ok);
    ending_ = true;
    loop.join();
    injector.join();
    ending_ = false;
    EXPECT_EQ(dev_->pause(), ok) << "again";
    EXPECT_EQ(dev_->destroy(), ok);
    dev_->close();
  }

  void create() {
    acrn_vm_creation c = creation(requests_, "dm", 3);
    // the real one tries ten times, for a machine whose last VM is not quite gone
    EXPECT_EQ(dev_->create(c), ok);
    vcpus_ = c.vcpu_num;
    vmid_ = c.vmid;
  }

  void ask_power_states() {
    const auto ask = [&](uint64_t type, uint64_t vcpu) {
      uint64_t word[12] = {type | vcpu << 16 | uint64_t{vmid_} << 24};
      EXPECT_EQ(dev_->pm(word), ok);
    };
    ask(0, 0);
    for (uint64_t v = 0; v < vcpus_; ++v) ask(0, v), ask(2, v), ask(0, v);
  }

  void set_registers() {
    acrn_vcpu_regs r{};
    r.vcpu_regs.rip = 0x1000;
    r.vcpu_regs.cr0 = 0x31;
    r.vcpu_regs.cs_sel = 8;
    r.vcpu_regs.cs_ar = 0xcf9b;
    r.vcpu_regs.cs_limit = ~0u;
    r.vcpu_regs.ds_sel = r.vcpu_regs.ss_sel = r.vcpu_regs.es_sel = 0x10;
    r.vcpu_regs.gdt.limit = 0x17;
    r.vcpu_regs.gdt.base = AcrnIrqVm::kGdt;
    r.vcpu_regs.idt.limit = 0x7ff;
    r.vcpu_regs.idt.base = AcrnIrqVm::kIdt;
    r.vcpu_regs.gprs.rsp = 0x8000;
    EXPECT_EQ(dev_->set_regs(r), ok);
  }

  Next serve() {
    EXPECT_EQ(dev_->create_client(), ok);
    EXPECT_EQ(dev_->start(), ok);
    Next end = Next::go_on;
    // every error of ATTACH ends the loop
    while (dev_->attach() == ok) {
      for (unsigned i = 0; i < vcpus_; ++i) {
        acrn_io_request& slot = reinterpret_cast<acrn_io_request_buffer*>(requests_.bytes())->req_slot[i];
        if (std::atomic_ref(slot.processed).load(std::memory_order_acquire) != ACRN_IOREQ_STATE_PROCESSING || slot.kernel_handled) continue;
        const Next next = emulate(slot);
        if (next == Next::system_reset) {
          system_reset();
          break;
        }
        if (next != Next::go_on) {
          end = next;
          done_ = true;
        }
        // also when the main thread has destroyed the client meanwhile: then it must give 0
        EXPECT_EQ(dev_->notify(i), ok);
        if (done_) {
          while (!ending_) std::this_thread::sleep_for(1ms);
          EXPECT_EQ(dev_->notify(i), ok) << "after DESTROY_IOREQ_CLIENT";
        }
      }
    }
    EXPECT_EQ(dev_->attach(), fails(ENODEV));
    return end;
  }

  // The request stays unanswered: CLEAR_VM_IOREQ gets rid of it.
  void system_reset() {
    EXPECT_EQ(dev_->pause(), ok);
    EXPECT_EQ(dev_->clear_requests(), ok);
    ask_power_states();
    EXPECT_EQ(dev_->reset(), ok);
    set_registers();
    EXPECT_EQ(dev_->start(), ok);
  }

  Next emulate(acrn_io_request& slot) {
    acrn_pio_request& p = slot.reqs.pio_request;
    if (slot.type != ACRN_IOREQ_TYPE_PORTIO) {
      ADD_FAILURE() << "type " << slot.type;
      return Next::power_off;
    }
    if (p.address == kPhasePort && p.direction == ACRN_IOREQ_DIR_READ) {
      p.value = phase_;
      phases_.push_back(phase_++);
    } else if (p.address == kResetPort) {
      return p.value & 8 ? Next::full_reset : Next::system_reset;
    } else if (p.address == kPm1Control && p.value == 0x3400) {
      return Next::power_off;
    } else if (p.address == AcrnIrqVm::kReportPort) {
      ++interrupts_;
    }
    return Next::go_on;
  }

  // Devices raise interrupts whenever they like, whatever state the VM is in.
  void inject() {
    while (!ending_) {
      EXPECT_EQ(dev_->inject_msi(0xfee00000, 0x41), ok);
      EXPECT_EQ(dev_->set_irqline(4, 2), ok);
      std::this_thread::sleep_for(200us);
    }
  }

  void tables() {
    const uint64_t gdt[] = {0, 0x00cf9b000000ffff, 0x00cf93000000ffff};
    std::memcpy(memory_.bytes() + AcrnIrqVm::kGdt, gdt, sizeof gdt);
    for (unsigned v = 0; v < 256; ++v) {
      const uint32_t at = AcrnIrqVm::kHandlers + 16 * v;
      const uint64_t gate = 0x8e00ull << 32 | 8u << 16 | at;
      std::memcpy(memory_.bytes() + AcrnIrqVm::kIdt + 8 * v, &gate, 8);
      put(X86Code().bytes({0xb0, static_cast<int>(v), 0xe6, AcrnIrqVm::kReportPort, 0xc7, 0x05}).imm32(0xfee000b0).imm32(0).bytes({0xcf}), at);
    }
  }

  // Asks for the phase: 0 is a system reset, 1 a full one, 2 the end.  Before each, it waits for an interrupt.
  void guest() {
    Flat32 c;
    c.store(0xfee000f0, 0x1ff).bytes({0xfb, 0xf4, 0xfa}).in_eax(kPhasePort);
    c.bytes({0x3c, 0, 0x75, 9, 0xb0, 6, 0x66, 0xba, 0xf9, 0x0c, 0xee, 0xeb, 0xfe});
    c.bytes({0x3c, 1, 0x75, 9, 0xb0, 0xe, 0x66, 0xba, 0xf9, 0x0c, 0xee, 0xeb, 0xfe});
    c.bytes({0x66, 0xb8, 0, 0x34, 0x66, 0xba, 0x04, 0x04, 0x66, 0xef, 0xf4});
    put(c.code(), 0x1000);
  }
  void put(const X86Code& code, uint32_t at) { std::memcpy(memory_.bytes() + at, code.get().data(), code.get().size()); }

  Pages memory_{AcrnVm::kMemory};
  Pages requests_{4096};
  Pages buffer_{4096};
  std::unique_ptr<AcrnDevice> dev_;
  unsigned vcpus_ = 0, vmid_ = 0, phase_ = 0;
  std::vector<unsigned> phases_;
  std::atomic<unsigned> interrupts_ = 0;
  std::atomic<bool> done_ = false, ending_ = false;
};

}  // namespace

TEST(AcrnDmFlow, StartResetsAndPowerOff) {
  Baseline before;
  {
    DeviceModel dm;
    EXPECT_EQ(dm.run(), (std::vector<unsigned>{0, 1, 2}));
    EXPECT_GE(dm.interrupts(), 3u);
  }
  EXPECT_TRUE(before.restored());
}

}  // namespace mv::glue
