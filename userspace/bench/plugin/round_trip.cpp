// SPDX-License-Identifier: MIT
// What a plugin's event costs: a vCPU that writes to a port as fast as it can, beside two processes that pass messages of the same
// sizes through two pipes.  Both in turns, in one run, so that they see the same machine; and on the same processors, once both ends
// on one and once each on its own, for to wake somebody elsewhere costs many times as much.  This program is the plugin, too.
#include <crosvm.h>

#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

constexpr unsigned kRounds = 2000;       // in a turn
constexpr unsigned kTurns = 15;
constexpr uint64_t kBytes = 0x10000;
constexpr char kPlugin[] = "MV_BENCH_PLUGIN_PROCESSOR";
constexpr uint64_t kPlain = 0x500, kHinted = 0x501, kAsync = 0x502, kStop = 0x600;

void check(int result, const char* what) {
  if (result < 0) throw std::runtime_error(std::string(what) + ": " + std::strerror(-result));
}

double us_since(Clock::time_point start) { return std::chrono::duration<double, std::micro>(Clock::now() - start).count(); }

double median(std::vector<double> v) {
  std::sort(v.begin(), v.end());
  return v[v.size() / 2];
}

// Another process that answers `there` bytes with `back` bytes.
class PingPong {
 public:
  PingPong(size_t there, size_t back) : there_(there, 'x'), back_(back, 'y') {
    check(pipe2(to_, O_CLOEXEC) || pipe2(from_, O_CLOEXEC) ? -errno : 0, "pipe");
    child_ = fork();
    if (child_) {
      close(to_[0]);  // the child's end is with the child: when this one goes, so does it
      return;
    }
    close(to_[1]);
    while (read(to_[0], there_.data(), there_.size()) > 0 && write(from_[1], back_.data(), back_.size()) > 0) {
    }
    _exit(0);
  }
  ~PingPong() {
    close(to_[1]);
    waitpid(child_, nullptr, 0);
  }
  double turn() {
    const auto start = Clock::now();
    for (unsigned i = 0; i < kRounds; ++i) {
      if (write(to_[1], there_.data(), there_.size()) < 0 || read(from_[0], back_.data(), back_.size()) < 0) throw std::runtime_error("ping-pong");
    }
    return us_since(start) / kRounds;
  }

 private:
  std::string there_, back_;
  int to_[2], from_[2];
  pid_t child_;
};

class Guest {
 public:
  Guest() {
    check(crosvm_connect(&vm_), "connect");
    const int fd = memfd_create("bench", MFD_ALLOW_SEALING | MFD_CLOEXEC);
    check(ftruncate(fd, kBytes) || fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK) ? -errno : 0, "memory");
    memory_ = static_cast<uint8_t*>(mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
    check(crosvm_create_memory(vm_, fd, 0, kBytes, 0, false, false, &object_), "memory");
    // again: out dx, al; loop again (cx); mov dx, STOP; out dx, al: the plugin chooses the next DX and CX there; jmp again
    static constexpr uint8_t code[] = {0xee, 0xe2, 0xfd, 0xba, 0x00, 0x06, 0xee, 0xeb, 0xf7};
    std::memcpy(memory_ + 0x1000, code, sizeof(code));
    check(crosvm_reserve_range(vm_, CROSVM_ADDRESS_SPACE_IOPORT, kPlain, 2), "range");
    check(crosvm_reserve_range(vm_, CROSVM_ADDRESS_SPACE_IOPORT, kStop, 1), "range");
    check(crosvm_reserve_async_write_range(vm_, CROSVM_ADDRESS_SPACE_IOPORT, kAsync, 1), "range");
    const crosvm_hint hint = {0, 0, CROSVM_ADDRESS_SPACE_IOPORT, CROSVM_HINT_ON_WRITE, 0, kHinted, nullptr};
    check(crosvm_set_hypercall_hint(vm_, 1, &hint), "hint");
    check(crosvm_get_vcpu(vm_, 0, &vcpu_), "vCPU");
    check(crosvm_start(vm_), "start");
    wait();
    kvm_sregs sregs;
    check(crosvm_vcpu_get_sregs(vcpu_, &sregs), "sregs");
    sregs.cs.base = sregs.cs.selector = 0;
    check(crosvm_vcpu_set_sregs(vcpu_, &sregs), "sregs");
    next(kStop, 1);
  }

  // Microseconds for each write to `port`; `regs`: the plugin looks at the registers each time.
  double turn(uint64_t port, bool regs) {
    next(port, kRounds);
    wait();
    const auto start = Clock::now();
    unsigned seen = 0;
    for (; event_.io_access.address == port; ++seen) {
      if (regs) check(crosvm_vcpu_get_regs(vcpu_, &regs_), "regs");
      if (!event_.io_access.no_resume) check(crosvm_vcpu_resume(vcpu_), "resume");
      wait();
    }
    return us_since(start) / seen;
  }

 private:
  void wait() { check(crosvm_vcpu_wait(vcpu_, &event_), "wait"); }
  // From the stop: so many writes to this port, and the stop again.
  void next(uint64_t port, uint64_t count) {
    kvm_regs r = {};
    r.rip = 0x1000;
    r.rflags = 2;
    r.rdx = port;
    r.rcx = count;
    check(crosvm_vcpu_set_regs(vcpu_, &r), "regs");
    check(crosvm_vcpu_resume(vcpu_), "resume");
    if (port == kStop) wait();
  }

  crosvm* vm_ = nullptr;
  crosvm_memory* object_ = nullptr;
  crosvm_vcpu* vcpu_ = nullptr;
  uint8_t* memory_ = nullptr;
  crosvm_vcpu_event event_ = {};
  kvm_regs regs_ = {};
};

void run_on(int processor) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(processor, &set);
  check(sched_setaffinity(0, sizeof set, &set) ? -errno : 0, "processor");
}

// The plugin and the pipes' one end on `processor`; mvmm and the other end are on the one that was inherited.
int measure(int processor) {
  PingPong raw(5, 13);  // a resume with one byte of data; a write to a port behind its length
  run_on(processor);
  Guest guest;
  std::vector<double> pings, plain, regs, hinted, async, ratio;
  for (unsigned t = 0; t < kTurns; ++t) {
    pings.push_back(raw.turn());
    plain.push_back(guest.turn(kPlain, false));
    regs.push_back(guest.turn(kPlain, true));
    hinted.push_back(guest.turn(kHinted, true));
    async.push_back(guest.turn(kAsync, false));
    ratio.push_back(plain.back() / pings.back());
  }
  std::printf("%-44s %8.2f us\n", "two pipes, two processes, the same sizes", median(pings));
  std::printf("%-44s %8.2f us  %8.0f exits/s\n", "wait and resume", median(plain), 1e6 / median(plain));
  std::printf("%-44s %8.2f us\n", "wait, get_regs and resume", median(regs));
  std::printf("%-44s %8.2f us\n", "the same with a hint", median(hinted));
  std::printf("%-44s %8.2f us\n", "asynchronous write", median(async));
  std::printf("%-44s %8.2f  (of %u turns; target 1.5)\n", "wait and resume / pipes, median", median(ratio), kTurns);
  return 0;
}

// mvmm with this program as its plugin: mvmm on the one processor, the plugin on the other.
int run(const char* program, int mvmm, int plugin) {
  std::fflush(stdout);
  const pid_t child = fork();
  if (!child) {
    run_on(mvmm);
    setenv(kPlugin, std::to_string(plugin).c_str(), 1);
    execl(MV_MVMM, "mvmm", "--plugin", program, static_cast<char*>(nullptr));
    std::perror(MV_MVMM);
    _exit(1);
  }
  int status = 1;
  waitpid(child, &status, 0);
  return status ? 1 : 0;
}

int run_both(const char* program) {
  cpu_set_t mine;
  check(sched_getaffinity(0, sizeof mine, &mine) ? -errno : 0, "processors");
  std::vector<int> processors;
  for (int i = 0; i < CPU_SETSIZE; ++i) {
    if (CPU_ISSET(i, &mine)) processors.push_back(i);
  }
  std::printf("vCPU and plugin on one processor\n");
  int failed = run(program, processors.front(), processors.front());
  if (processors.size() < 2) return failed;
  std::printf("vCPU and plugin on two processors\n");
  return failed | run(program, processors.back(), processors.front());
}

}  // namespace

int main(int, char** argv) {
  try {
    const char* processor = std::getenv(kPlugin);
    return processor ? measure(std::atoi(processor)) : run_both(argv[0]);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "mv_plugin_bench: %s\n", e.what());
    return 1;
  }
}
