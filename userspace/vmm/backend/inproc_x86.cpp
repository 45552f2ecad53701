// SPDX-License-Identifier: MIT
#include "vmm/backend/inproc_x86.h"

#include <algorithm>

#include "vmm/backend/ioreq_slot.h"
#include "vmm/backend/x86_start.h"

namespace mv {

InprocX86::InprocX86(const VmConfig& config) : config_(config), memory_(0, config.memory_bytes) {
  if (config.vcpus < 1 || config.vcpus > ACRN_IO_REQUEST_MAX) throw std::invalid_argument("an ACRN VM has 1 to 16 vCPUs");
  if (config.virtual_time && config.vcpus != 1) throw std::invalid_argument("virtual time is for one vCPU");
  acrn_vm_init(vm_.get(), 1, 0, requests_.get());
  vm_->chip.context = &bell_;
  vm_->chip.kick = [](void* bell, u32) { static_cast<Bell*>(bell)->wake(); };
  if (hv_memmap_add(&vm_->map, 0, config.memory_bytes, memory_.host(), nullptr, HV_MEM_RWX) < 0) {
    throw std::invalid_argument("guest memory must be a multiple of 4 KiB");
  }
  if (config.rom_bytes) {
    rom_.emplace(kRomEnd - config.rom_bytes, config.rom_bytes);
    if (hv_memmap_add(&vm_->map, kRomEnd - config.rom_bytes, config.rom_bytes, rom_->host(), nullptr, HV_MEM_READ | HV_MEM_EXEC) < 0) {
      throw std::invalid_argument("the ROM must be a multiple of 4 KiB, above guest memory");
    }
  }
  for (unsigned i = 0; i < config.vcpus; ++i) {
    auto& v = vcpus_.emplace_back(std::make_unique<Vcpu>());
    acrn_vm_add_vcpu(vm_.get(), v->core.get(), i, v->arena.data(), Arena::size(), kArenaLimit);
    v->core->walk.on = config.walk;
    if (config.virtual_time) {
      v->core->cpu.virtual_time = 1;
      v->core->cpu.random ^= *config.virtual_time;
    }
  }
}

InprocX86::~InprocX86() = default;

void InprocX86::load(std::span<const Image> images) {
  for (const Image& i : images) (rom_ && i.gpa >= kRomEnd - config_.rom_bytes ? *rom_ : memory_).load({&i, 1});
}

std::span<std::byte> InprocX86::memory() { return {reinterpret_cast<std::byte*>(memory_.host()), memory_.bytes()}; }

void InprocX86::irq_line(uint32_t gsi, bool high) { acrn_set_irqline(vm_.get(), uint64_t{!high} << 32 | gsi); }

void InprocX86::msi(uint64_t address, uint64_t data) { acrn_inject_msi(vm_.get(), address, data); }

// deliver, serve, complete: what a VMM does between ATTACH and NOTIFY, here without a way in between.
void InprocX86::serve(Vcpu& v, Server& server) {
  const unsigned id = v.core->id;
  if (acrn_ioreq_deliver(vm_.get(), id, true) == ACRN_DELIVER_DONE) return;
  acrn_io_request& slot = requests_->req_slot[id];
  const Access access = slot_access(slot, id);
  slot_reply(slot, access, server.serve(access));
  acrn_ioreq_answer(vm_.get(), id);
}

// What a step asked for.  True: the vCPU has nothing to do.
// In virtual time there is no other vCPU to wait for.
void InprocX86::pause(Vcpu& v) {
  if (config_.virtual_time) return;
  bell_.pause_ns(acrn_vcpu_pause_ns(v.core.get(), polite_pauses()), [&] { return acrn_vcpu_awake(v.core.get()) || stopping_; });
}

bool InprocX86::answer(Vcpu& v, Server& server, acrn_next next) {
  switch (next) {
    case ACRN_NEXT_AGAIN:
      break;
    case ACRN_NEXT_PAUSE:
      pause(v);
      break;
    case ACRN_NEXT_ARENA:
      v.arena.grow(v.core->cpu.hv.blocks);
      break;
    case ACRN_NEXT_POSTED:
      serve(v, server);
      break;
    case ACRN_NEXT_WAIT:
      return true;
  }
  return false;
}

void InprocX86::run_vcpu(Vcpu& v, Server& server) {
  while (!stopping_.load(std::memory_order_relaxed)) {
    if (!answer(v, server, acrn_vcpu_step(v.core.get(), kInprocBatch))) continue;
    bell_.wait_ns(acrn_vcpu_wait_ns(v.core.get()), [&] { return acrn_vcpu_ready(v.core.get()) || stopping_; });
  }
}

uint64_t InprocX86::now_ns() const { return config_.virtual_time ? vcpus_.front()->core->cpu.hv.retired + slept_ : Backend::now_ns(); }

bool InprocX86::alarm(uint64_t at, std::function<void()> job) {
  if (!config_.virtual_time) return false;
  alarm_at_ = at;
  alarm_ = std::move(job);
  return true;
}

void InprocX86::ring() {
  if (now_ns() < alarm_at_) return;
  alarm_at_ = ~uint64_t{0};
  std::exchange(alarm_, nullptr)();
}

uint64_t InprocX86::until_event(Vcpu& v) const {
  const uint64_t now = now_ns();
  return std::min<uint64_t>(acrn_vcpu_wait_ns(v.core.get()), alarm_at_ == ~uint64_t{0} ? alarm_at_ : alarm_at_ - std::min(now, alarm_at_));
}

// Time jumps to the next event; if there is none, the guest waits for somebody who types.
void InprocX86::sleep(Vcpu& v) {
  if (acrn_vcpu_ready(v.core.get())) return;
  const uint64_t ns = until_event(v);
  if (ns == ~uint64_t{0}) return bell_.wait([&] { return acrn_vcpu_ready(v.core.get()) || stopping_; });
  slept_ += ns;
  v.core->cpu.tsc_offset += ns;
}

// Everything that happens does so in this thread, at a number of instructions that the guest alone determines.
void InprocX86::run_virtual(Vcpu& v, Server& server) {
  while (!stopping_.load(std::memory_order_relaxed)) {
    ring();
    const uint64_t budget = std::clamp<uint64_t>(until_event(v), 1, kInprocBatch);
    if (answer(v, server, acrn_vcpu_step(v.core.get(), budget))) sleep(v);
  }
}

Ending InprocX86::run(Server& server) {
  for (const Image& i : x86_start_tables(config_.mode)) memory_.load({&i, 1});
  const acrn_vcpu_regs regs = x86_start_regs(config_.mode, config_.entry, config_.argument);
  if (acrn_set_vcpu_regs(vm_.get(), &regs) || acrn_vm_start(vm_.get())) throw std::logic_error("inproc: start refused");
  {
    std::vector<std::jthread> threads;
    for (auto& v : vcpus_) threads.emplace_back([&] { config_.virtual_time ? run_virtual(*v, server) : run_vcpu(*v, server); });
  }
  return {};
}

void InprocX86::stop() {
  stopping_ = true;
  for (auto& v : vcpus_) hv_cpu_request(&v->core->cpu.hv, HV_REQ_STOP);
  bell_.wake();
}

void InprocX86::reset() {
  acrn_vm_pause(vm_.get());
  acrn_vm_reset(vm_.get());
  alarm_at_ = ~uint64_t{0};
  alarm_ = nullptr;
  stopping_ = false;
}

std::optional<WalkStamps> InprocX86::walk(unsigned vcpu) { return walk_stamps(vcpus_.at(vcpu)->core->walk); }

// While an arena is replaced by one twice as large, there are both.
std::optional<Backend::Footprint> InprocX86::footprint() const {
  Footprint f{sizeof(acrn_core_vm) + sizeof(acrn_io_request_buffer), 0};
  f.most = f.now + vcpus_.size() * (sizeof(acrn_vcpu) + kArenaLimit + kArenaLimit / 2);
  for (const auto& v : vcpus_) f.now += sizeof(acrn_vcpu) + v->arena.held();
  return f;
}

std::optional<uint64_t> InprocX86::instructions(unsigned vcpu) {
  return __atomic_load_n(&vcpus_.at(vcpu)->core->cpu.hv.retired, __ATOMIC_RELAXED);
}

}  // namespace mv
