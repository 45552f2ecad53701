// SPDX-License-Identifier: MIT
#include "vmm/backend/gunyah.h"

#include <sys/eventfd.h>

#include <csignal>
#include <cstring>
#include <stdexcept>
#include <thread>

#include "vmm/backend/device_tree.h"
#include "vmm/backend/run_page.h"

namespace mv {

namespace {

// VCPU_RUN sleeps inside the kernel; only a signal that does not restart calls brings a thread out of it.
void install_kick() {
  struct sigaction action {};
  action.sa_handler = [](int) {};
  ::sigaction(SIGUSR1, &action, nullptr);
}

}  // namespace

static Fd new_eventfd() {
  Fd fd(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!fd) throw_errno("eventfd");
  return fd;
}

namespace {

// Writes of any size and value to one address; the VM's descriptor is borrowed.
class GunyahDoorbell : public Doorbell {
 public:
  GunyahDoorbell(int vm, uint64_t gpa, unsigned size) : vm_(vm), event_(new_eventfd()) {
    arg_.fd = static_cast<uint32_t>(event_.get());
    arg_.addr = gpa;
    arg_.len = size;
    gunyah_fn_desc d = function();
    must_ioctl("ADD_FUNCTION(ioeventfd)", vm_, GUNYAH_VM_ADD_FUNCTION, &d);
  }
  ~GunyahDoorbell() override {
    gunyah_fn_desc d = function();
    ::ioctl(vm_, GUNYAH_VM_REMOVE_FUNCTION, &d);
  }
  int eventfd() const override { return event_.get(); }

 private:
  gunyah_fn_desc function() { return {.type = GUNYAH_FN_IOEVENTFD, .arg_size = sizeof arg_, .arg = reinterpret_cast<uint64_t>(&arg_)}; }

  int vm_;
  Fd event_;
  gunyah_fn_ioeventfd_arg arg_{};
};

}  // namespace

GunyahBackend::GunyahBackend(const VmConfig& config) : config_(config), device_(open_node("/dev/gunyah")) {
  install_kick();
  regions_.push_back({.gpa = memory_base(), .bytes = config.memory_bytes, .writable = true, .file = {}, .shared = {}});
  if (config.chosen.firmware) {
    regions_.push_back({.gpa = Arm64Layout::kFlashCode, .bytes = config.rom_bytes, .writable = false, .file = {}, .shared = {}});
    regions_.push_back({.gpa = Arm64Layout::kFlashVariables, .bytes = Arm64Layout::kFlashVariablesSize, .writable = false, .file = {}, .shared = {}});
  }
  build();
}

void GunyahBackend::build() {
  vm_ = Fd(must_ioctl("CREATE_VM", device_.get(), GUNYAH_CREATE_VM, 0));
  map_memory();
  add_vcpus();
  add_lines();
}

// The old VM is gone with its last descriptor; what was lent to it goes with it.
void GunyahBackend::reset() {
  std::lock_guard lock(runners_mutex_);
  vcpus_.clear();
  lines_.clear();
  vm_.reset();
  for (Region& region : regions_) region.file.reset();
  build();
  stopping_ = false;
}

void GunyahBackend::add_lines() {
  std::vector<uint32_t> spis{Arm64Layout::kSpiPl011, Arm64Layout::kSpiPl031};
  for (unsigned i = 0; i < config_.chosen.virtio; ++i) spis.push_back(Arm64Layout::kSpiVirtio + i);
  for (uint32_t spi : spis) {
    Line line{{.label = spi, .spi = spi}, new_eventfd()};
    gunyah_fn_irqfd_arg arg{.fd = static_cast<uint32_t>(line.event.get()), .label = spi, .flags = 0, .padding = 0};
    gunyah_fn_desc d{.type = GUNYAH_FN_IRQFD, .arg_size = sizeof arg, .arg = reinterpret_cast<uint64_t>(&arg)};
    must_ioctl("ADD_FUNCTION(irqfd)", vm_.get(), GUNYAH_VM_ADD_FUNCTION, &d);
    lines_.push_back(std::move(line));
  }
}

// A doorbell is an edge.
void GunyahBackend::irq_line(uint32_t gsi, bool high) {
  if (!high) return;
  const uint64_t one = 1;
  for (const Line& line : lines_) {
    if (line.bell.spi != gsi) continue;
    [[maybe_unused]] const ssize_t n = ::write(line.event.get(), &one, sizeof one);
  }
}

std::unique_ptr<Doorbell> GunyahBackend::doorbell(uint64_t gpa, unsigned size) { return std::make_unique<GunyahDoorbell>(vm_.get(), gpa, size); }

std::span<std::byte> GunyahBackend::memory() {
  const Mapping& seen = pool_ ? pool_ : regions_.front().shared;
  return seen ? std::span(seen.as(), seen.size()) : std::span<std::byte>();
}

GunyahBackend::~GunyahBackend() = default;

uint64_t GunyahBackend::memory_base() const { return arm64_memory_base(config_.chosen); }

uint64_t GunyahBackend::memory_gpa() const { return memory_base() + (config_.chosen.pool_size ? config_.memory_bytes : 0); }

void GunyahBackend::map_memory() {
  uint32_t label = 0;
  for (Region& r : regions_) config_.unprotected ? share(r, label++) : lend(r);
  if (config_.chosen.pool_size) map_pool();
}

// v17's shared memory is never executable, Android's is.
void GunyahBackend::share(Region& r, uint32_t label) {
  if (!r.shared) r.shared = Mapping(r.bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0, "guest memory");
  const auto access = static_cast<uint32_t>(r.writable ? GH_MEM_ALLOW_RWX : GH_MEM_ALLOW_READ | GH_MEM_ALLOW_EXEC);
  gh_userspace_memory_region region{.label = label,
                                    .flags = access,
                                    .guest_phys_addr = r.gpa,
                                    .memory_size = r.bytes,
                                    .userspace_addr = reinterpret_cast<uint64_t>(r.shared.as())};
  must_ioctl("SET_USER_MEM_REGION", vm_.get(), GH_VM_SET_USER_MEM_REGION, &region);
}

void GunyahBackend::lend(Region& r) {
  const uint32_t access = r.writable ? static_cast<uint32_t>(GUNYAH_MEM_ALLOW_RWX) : GUNYAH_MEM_ALLOW_READ | GUNYAH_MEM_ALLOW_EXEC;
  r.file = map_file(r.gpa, r.bytes, GUNYAH_MEM_DEFAULT_ACCESS | access);
}

void GunyahBackend::map_pool() {
  const uint64_t pool = config_.chosen.pool_size;
  const Fd file = map_file(memory_gpa(), pool, GUNYAH_MEM_FORCE_SHARE | GUNYAH_MEM_ALLOW_READ | GUNYAH_MEM_ALLOW_WRITE);
  pool_ = Mapping(pool, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0, "pool of shared memory");
}

Fd GunyahBackend::map_file(uint64_t gpa, uint64_t size, uint32_t flags) {
  gunyah_create_mem_args create{};
  create.flags = GHMF_CLOEXEC;
  create.size = size;
  Fd file(must_ioctl("CREATE_GUEST_MEM", device_.get(), GUNYAH_CREATE_GUEST_MEM, &create));
  gunyah_map_mem_args map{};
  map.guest_addr = gpa;
  map.flags = flags;
  map.guest_mem_fd = static_cast<__u32>(file.get());
  map.size = size;
  must_ioctl("MAP_MEM", vm_.get(), GUNYAH_VM_MAP_MEM, &map);
  return file;
}

void GunyahBackend::add_vcpus() {
  for (unsigned i = 0; i < config_.vcpus; ++i) {
    gunyah_fn_vcpu_arg arg{.id = i};
    gunyah_fn_desc d{.type = GUNYAH_FN_VCPU, .arg_size = sizeof arg, .arg = reinterpret_cast<uint64_t>(&arg)};
    Vcpu v;
    v.id = i;
    v.fd = Fd(must_ioctl("ADD_FUNCTION(vcpu)", vm_.get(), GUNYAH_VM_ADD_FUNCTION, &d));
    const int size = must_ioctl("VCPU_MMAP_SIZE", v.fd.get(), GUNYAH_VCPU_MMAP_SIZE, 0);
    v.page = Mapping(static_cast<size_t>(size), PROT_READ | PROT_WRITE, MAP_SHARED, v.fd.get(), 0, "vCPU page");
    v.run = v.page.as<gunyah_vcpu_run>();
    vcpus_.push_back(std::move(v));
  }
}

void GunyahBackend::load(std::span<const Image> images) {
  for (const Image& i : images) load_image(i);
}

// Lent memory may have no host mapping once the guest touches it: each image gets its own, for a moment.
void GunyahBackend::load_image(const Image& i) {
  for (const Region& r : regions_) {
    const uint64_t at = i.gpa - r.gpa;
    if (i.gpa < r.gpa || at > r.bytes || i.bytes.size() > r.bytes - at) continue;
    if (r.shared) {
      std::memcpy(r.shared.as() + at, i.bytes.data(), i.bytes.size());
      return;
    }
    const uint64_t page = at & ~uint64_t{4095};
    Mapping window(at - page + i.bytes.size() + 1, PROT_READ | PROT_WRITE, MAP_SHARED, r.file.get(), page, "guest memory window");
    std::memcpy(window.as() + (at - page), i.bytes.data(), i.bytes.size());
    return;
  }
  throw std::invalid_argument("image lies outside guest memory");
}

void GunyahBackend::start() {
  std::vector<TreeDoorbell> bells;
  for (const Line& line : lines_) bells.push_back(line.bell);
  const Image tree{arm64_tree(config_.chosen, config_.memory_bytes),
                   make_device_tree(config_.memory_bytes, config_.vcpus, bells, config_.chosen)};
  load({&tree, 1});
  gunyah_vm_dtb_config dtb{.guest_phys_addr = tree.gpa, .size = tree.bytes.size()};
  must_ioctl("SET_DTB_CONFIG", vm_.get(), GUNYAH_VM_SET_DTB_CONFIG, &dtb);
  gunyah_vm_boot_context pc{.reg = GUNYAH_VM_BOOT_CONTEXT_REG(REG_SET_PC, 0), .reserved = 0, .value = config_.entry};
  must_ioctl("SET_BOOT_CONTEXT", vm_.get(), GUNYAH_VM_SET_BOOT_CONTEXT, &pc);
  must_ioctl("VM_START", vm_.get(), GUNYAH_VM_START, 0);
  if (config_.walk) control_.walk_switch(vm_.get(), true);
}

Ending GunyahBackend::run_vcpu(Vcpu& v, Server& server) {
  while (!stopping_) {
    if (::ioctl(v.fd.get(), GUNYAH_VCPU_RUN, 0) < 0) {
      if (errno == EINTR || errno == EAGAIN) continue;
      return {EndKind::crashed, std::string("VCPU_RUN: ") + std::strerror(errno)};
    }
    switch (v.run->exit_reason) {
      case GUNYAH_VCPU_EXIT_MMIO:
        run_page_reply(*v.run, server.serve(run_page_access(*v.run, v.id)));
        break;
      case GUNYAH_VCPU_EXIT_STATUS:
        return run_page_ending(*v.run);
      case GUNYAH_VCPU_EXIT_PAGE_FAULT:
        return run_page_fault(*v.run);
      default:
        return {EndKind::crashed, "exit reason " + std::to_string(v.run->exit_reason)};
    }
  }
  return {};
}

Ending GunyahBackend::run(Server& server) {
  start();
  std::vector<Ending> endings(vcpus_.size());
  {
    std::vector<std::jthread> threads;
    for (size_t i = 0; i < vcpus_.size(); ++i) {
      threads.emplace_back([&, i] {
        {
          std::lock_guard lock(runners_mutex_);
          runners_.push_back(::pthread_self());
        }
        endings[i] = run_vcpu(vcpus_[i], server);
        {
          std::lock_guard lock(runners_mutex_);
          std::erase(runners_, ::pthread_self());
        }
        stop();
      });
    }
  }
  for (const Ending& e : endings) {
    if (e.kind != EndKind::stopped) return e;
  }
  return {};
}

// The flag alone does not wake a sleeper, the signal alone could come between its look at stopping_ and the call.
void GunyahBackend::stop() {
  std::lock_guard lock(runners_mutex_);
  stopping_ = true;
  for (Vcpu& v : vcpus_) std::atomic_ref(v.run->immediate_exit).store(1);
  for (pthread_t t : runners_) ::pthread_kill(t, SIGUSR1);
}

std::optional<WalkStamps> GunyahBackend::walk(unsigned vcpu) { return control_.walk(vm_.get(), vcpu); }

std::optional<uint64_t> GunyahBackend::instructions(unsigned vcpu) {
  const auto c = control_.counters(vm_.get(), vcpu);
  return c ? std::optional<uint64_t>(c->instructions) : std::nullopt;
}

}  // namespace mv
