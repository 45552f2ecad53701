// SPDX-License-Identifier: MIT
#include "vmm/backend/inproc_arm64.h"

#include "vmm/backend/device_tree.h"
#include "vmm/backend/run_page.h"

namespace mv {

InprocArm64::InprocArm64(const VmConfig& config) : config_(config), memory_(arm64_memory_base(config.chosen), config.memory_bytes + config.chosen.pool_size) {
  if (config.vcpus < 1 || config.vcpus > GUNYAH_VCPUS) throw std::invalid_argument("a Gunyah VM has 1 to 32 vCPUs here");
  if (config.chosen.firmware) {
    flash_.emplace_back(Arm64Layout::kFlashCode, config.rom_bytes);
    flash_.emplace_back(Arm64Layout::kFlashVariables, Arm64Layout::kFlashVariablesSize);
  }
  build();
}

// A Gunyah VM starts once: a reset is another one around the same memory.
void InprocArm64::build() {
  vcpus_.clear();
  vm_ = core_new<gunyah_core_vm>();
  gunyah_vm_init(vm_.get());
  vm_->kick = [](void* bell) { static_cast<Bell*>(bell)->wake(); };
  vm_->kick_context = &bell_;
  add_memory(memory_, HV_MEM_RWX);
  for (GuestMemory& bank : flash_) add_memory(bank, HV_MEM_READ | HV_MEM_EXEC);
  for (unsigned i = 0; i < config_.vcpus; ++i) {
    auto& v = vcpus_.emplace_back(std::make_unique<Vcpu>());
    gunyah_vm_attach_vcpu(vm_.get(), v->core.get(), i, v->arena.data(), Arena::size(), kArenaLimit);
    v->core->walk.on = config_.walk;
  }
}

void InprocArm64::add_memory(GuestMemory& memory, uint32_t access) {
  if (hv_memmap_add(&vm_->map, memory.base(), memory.bytes(), memory.host(), nullptr, access) < 0) {
    throw std::invalid_argument("guest memory must be a multiple of 4 KiB");
  }
}

void InprocArm64::reset() {
  std::lock_guard lock(life_);
  build();
  stopping_ = false;
}

InprocArm64::~InprocArm64() = default;

uint64_t InprocArm64::memory_base() const { return arm64_memory_base(config_.chosen); }

void InprocArm64::load(std::span<const Image> images) {
  for (const Image& i : images) {
    GuestMemory* where = &memory_;
    for (GuestMemory& bank : flash_) {
      if (i.gpa >= bank.base() && i.gpa - bank.base() < bank.bytes()) where = &bank;
    }
    where->load({&i, 1});
  }
}

// A device's output: gsi is the number of the shared interrupt.
void InprocArm64::irq_line(uint32_t gsi, bool high) { gic_spi(&vm_->gic, GIC_SPI_FIRST + gsi, high); }

gunyah_next InprocArm64::step(Vcpu& v) {
  const gunyah_next next = gunyah_vcpu_step(v.core.get(), &v.run, kInprocBatch);
  if (__atomic_exchange_n(&vm_->wake, 0, __ATOMIC_SEQ_CST)) bell_.wake();
  // all memory is there: what cannot be had is not allowed
  return next == GUNYAH_NEXT_PAGE ? gunyah_vcpu_paged(v.core.get(), &v.run, -EPERM, false) : next;
}

Ending InprocArm64::run_vcpu(Vcpu& v, Server& server) {
  while (!stopping_.load(std::memory_order_relaxed)) {
    switch (step(v)) {
      case GUNYAH_NEXT_RETURN:
        if (v.run.exit_reason != GUNYAH_VCPU_EXIT_MMIO) return run_page_ending(v.run);
        run_page_reply(v.run, server.serve(run_page_access(v.run, v.core->id)));
        if (gunyah_vcpu_enter(v.core.get(), &v.run) < 0) return {EndKind::crashed, "resume action refused"};
        break;
      case GUNYAH_NEXT_WAIT:
        bell_.wait_ns(gunyah_vcpu_ns(v.core.get()), [&] { return gunyah_vcpu_ready(v.core.get()) || stopping_; });
        break;
      case GUNYAH_NEXT_ARENA:
        v.arena.grow(v.core->cpu.hv.blocks);
        break;
      case GUNYAH_NEXT_PAUSE:
        bell_.pause_ns(gunyah_vcpu_pause_ns(v.core.get(), polite_pauses()), [&] { return gunyah_vcpu_awake(v.core.get()) || stopping_; });
        break;
      default:
        break;
    }
  }
  return {};
}

Ending InprocArm64::run(Server& server) {
  const std::vector<std::byte> tree = make_device_tree(config_.memory_bytes, config_.vcpus, {}, config_.chosen);
  vm_->dtb_gpa = arm64_tree(config_.chosen, config_.memory_bytes);
  vm_->dtb_size = tree.size();
  const Image image{vm_->dtb_gpa, tree};
  memory_.load({&image, 1});
  gunyah_vm_boot_context(vm_.get(), GUNYAH_VM_BOOT_CONTEXT_REG(REG_SET_PC, 0), config_.entry);
  if (gunyah_vm_configure(vm_.get(), tree.data(), tree.size())) throw std::logic_error("inproc: device tree refused");
  gunyah_vm_run(vm_.get());
  std::vector<Ending> endings(vcpus_.size());
  {
    std::vector<std::jthread> threads;
    for (size_t i = 0; i < vcpus_.size(); ++i) {
      gunyah_vcpu_enter(vcpus_[i]->core.get(), &vcpus_[i]->run);
      threads.emplace_back([&, i] {
        endings[i] = run_vcpu(*vcpus_[i], server);
        stop();
      });
    }
  }
  for (const Ending& e : endings) {
    if (e.kind != EndKind::stopped) return e;
  }
  return {};
}

void InprocArm64::stop() {
  std::lock_guard lock(life_);
  stopping_ = true;
  for (auto& v : vcpus_) hv_cpu_request(&v->core->cpu.hv, HV_REQ_STOP);
  bell_.wake();
}

std::optional<WalkStamps> InprocArm64::walk(unsigned vcpu) { return walk_stamps(vcpus_.at(vcpu)->core->walk); }

std::optional<uint64_t> InprocArm64::instructions(unsigned vcpu) {
  return __atomic_load_n(&vcpus_.at(vcpu)->core->cpu.hv.retired, __ATOMIC_RELAXED);
}

}  // namespace mv
