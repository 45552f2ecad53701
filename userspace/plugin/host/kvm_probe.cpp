// SPDX-License-Identifier: MIT
#include "plugin/host/kvm_probe.h"

#include <fcntl.h>
#include <linux/kvm.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "vmm/backend/fd.h"

namespace mv::plugin {

namespace {

// mov dx, 600h; mov al, 4ah; sti; nop; nop; out dx, al; hlt
constexpr unsigned char kGuest[] = {0xba, 0x00, 0x06, 0xb0, 0x4a, 0xfb, 0x90, 0x90, 0xee, 0xf4};
// inc al; iret: for the interrupt that waits when it begins, as a plugin's that knows nothing of the 8259: GSI 0 is vector 0
constexpr unsigned char kHandler[] = {0xfe, 0xc0, 0xcf};
constexpr uint16_t kPort = 0x600;
constexpr unsigned char kValue = 0x4b;
constexpr uint64_t kEntry = 0x1000, kHandlerAt = 0x1100, kStack = 0x1800;
constexpr size_t kMemory = 0x2000;

// How far the child came; shared with it.
struct Progress {
  std::atomic<const char*> step;  // a literal, valid in both
  std::atomic<int> error;
  std::atomic<bool> done;
};

// In the child, which was made by fork alone: nothing but system calls.
class ProbeGuest {
 public:
  explicit ProbeGuest(Progress& progress) : progress_(progress) {}

  void run(const char* device) {
    int kvm, vm, vcpu, bytes;
    if (!step("it cannot be opened", kvm = ::open(device, O_RDWR | O_CLOEXEC))) return;
    if (!step("KVM_GET_API_VERSION fails", ::ioctl(kvm, KVM_GET_API_VERSION, 0) == KVM_API_VERSION ? 0 : -1)) return;
    if (!step("it lacks KVM_CAP_IMMEDIATE_EXIT", ::ioctl(kvm, KVM_CHECK_EXTENSION, KVM_CAP_IMMEDIATE_EXIT) > 0 ? 0 : -1)) return;
    if (!step("KVM_CREATE_VM fails", vm = ::ioctl(kvm, KVM_CREATE_VM, 0))) return;
    kvm_pit_config pit = {};
    if (!step("KVM_CREATE_IRQCHIP fails", ::ioctl(vm, KVM_CREATE_IRQCHIP, 0))) return;
    if (!step("KVM_CREATE_PIT2 fails", ::ioctl(vm, KVM_CREATE_PIT2, &pit))) return;
    if (!step("its memory cannot be set", set_memory(vm))) return;
    if (!step("KVM_CREATE_VCPU fails", vcpu = ::ioctl(vm, KVM_CREATE_VCPU, 0))) return;
    if (!step("KVM_GET_VCPU_MMAP_SIZE fails", bytes = ::ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0))) return;
    void* shared = ::mmap(nullptr, static_cast<size_t>(bytes), PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
    if (!step("its vCPU cannot be mapped", shared == MAP_FAILED ? -1 : 0)) return;
    if (!step("its vCPU cannot be set up", set_registers(vcpu))) return;
    kvm_irq_level line = {};
    line.level = 1;
    if (!step("KVM_IRQ_LINE fails", ::ioctl(vm, KVM_IRQ_LINE, &line))) return;
    if (!step("KVM_RUN fails", ::ioctl(vcpu, KVM_RUN, 0))) return;
    progress_.step = "a guest of a few instructions does not do what it should";
    progress_.error = 0;
    const auto* run = static_cast<const kvm_run*>(shared);
    const bool right = run->exit_reason == KVM_EXIT_IO && run->io.direction == KVM_EXIT_IO_OUT && run->io.port == kPort && run->io.size == 1 &&
                       *(static_cast<const unsigned char*>(shared) + run->io.data_offset) == kValue;
    if (run->exit_reason == KVM_EXIT_IO && !right) progress_.step = "interrupts do not reach its guests";
    progress_.done = right;
  }

 private:
  bool step(const char* what, int result) {
    progress_.error = result < 0 ? errno : 0;
    progress_.step = what;
    return result >= 0;
  }
  static int set_memory(int vm) {
    void* memory = ::mmap(nullptr, kMemory, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return -1;
    auto* bytes = static_cast<unsigned char*>(memory);
    std::memcpy(bytes + kEntry, kGuest, sizeof(kGuest));
    std::memcpy(bytes + kHandlerAt, kHandler, sizeof(kHandler));
    bytes[1] = kHandlerAt >> 8;  // vector 0: offset, segment
    kvm_userspace_memory_region r = {};
    r.memory_size = kMemory;
    r.userspace_addr = reinterpret_cast<uintptr_t>(memory);
    return ::ioctl(vm, KVM_SET_USER_MEMORY_REGION, &r);
  }
  static int set_registers(int vcpu) {
    kvm_sregs sregs;
    if (::ioctl(vcpu, KVM_GET_SREGS, &sregs)) return -1;
    sregs.cs.base = sregs.cs.selector = 0;
    sregs.ss.base = sregs.ss.selector = 0;
    kvm_regs regs = {};
    regs.rip = kEntry;
    regs.rsp = kStack;
    regs.rflags = 2;
    return ::ioctl(vcpu, KVM_SET_SREGS, &sregs) ? -1 : ::ioctl(vcpu, KVM_SET_REGS, &regs);
  }

  Progress& progress_;
};

// Kills it unless it ends in time, and then does not wait for long: what hangs in the kernel may stay.
bool ended_in_time(pid_t child) {
  const Fd watch(static_cast<int>(::syscall(SYS_pidfd_open, child, 0)));
  pollfd p = {watch.get(), POLLIN, 0};
  const bool in_time = ::poll(&p, 1, kKvmProbeMilliseconds) == 1;
  if (!in_time) {
    ::kill(child, SIGKILL);
    ::poll(&p, 1, 100);
  }
  ::waitpid(child, nullptr, in_time ? 0 : WNOHANG);
  return in_time;
}

}  // namespace

std::string kvm_trouble(const char* device) {
  const Mapping shared(sizeof(Progress), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0, "the probe of KVM");
  auto& progress = *new (shared.as<void>()) Progress{"it was not tried", 0, false};
  const pid_t parent = ::getpid(), child = ::fork();
  if (child < 0) throw_errno("the probe of KVM");
  if (!child) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() == parent) ProbeGuest(progress).run(device);
    ::_exit(0);
  }
  const bool in_time = ended_in_time(child);
  if (progress.done) return {};
  std::string why = std::string(device) + ": ";
  if (!in_time) return why + "a guest of a few instructions did not finish in " + std::to_string(kKvmProbeMilliseconds / 1000) + " s";
  why += progress.step.load();
  if (const int error = progress.error) why += std::string(": ") + std::generic_category().message(error);
  return why;
}

}  // namespace mv::plugin
