// SPDX-License-Identifier: MIT
// mvmm: a list of steps.
#include <fcntl.h>
#include <unistd.h>

#include <boost/program_options/errors.hpp>
#include <csignal>
#include <cstdio>
#include <iostream>
#include <system_error>

#include "app/linux_guest.h"
#include "app/options.h"
#include "app/plugin.h"
#include "vmm/backend/device_tree.h"
#include "vmm/backend/fd.h"
#include "vmm/loop/console.h"

namespace {

// A standard descriptor that is closed would be given to the next file that is opened, and then be read as the console.
void open_standard_descriptors() {
  int fd;
  while ((fd = ::open("/dev/null", O_RDWR)) >= 0 && fd <= STDERR_FILENO) {
  }
  if (fd > STDERR_FILENO) ::close(fd);
}

void to_stdout(uint8_t byte) {
  // a reader that went away is not the guest's fault: its output is dropped
  [[maybe_unused]] ssize_t n = ::write(STDOUT_FILENO, &byte, 1);
}

void to_stderr(const std::string& line) { std::fprintf(stderr, "%s\n", line.c_str()); }

// "-" is the standard descriptor; none if there is no such output.
mv::Fd open_output(const std::string& file, int standard) {
  if (file.empty()) return {};
  mv::Fd fd(file == "-" ? ::dup(standard) : ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (!fd) mv::throw_errno("cannot write " + file);
  return fd;
}

void to_file(const mv::Fd& fd, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd.get(), bytes.data(), bytes.size());
    if (n <= 0) return;  // a full disk or a reader that went away is not the guest's fault
    bytes = bytes.subspan(static_cast<size_t>(n));
  }
}

void print_stats(mv::Machine& machine, unsigned vcpus) {
  std::fprintf(stderr, "mvmm: %s served %llu accesses", std::string(machine.backend().name()).c_str(),
               static_cast<unsigned long long>(machine.served()));
  for (unsigned i = 0; i < vcpus; ++i) {
    if (const auto n = machine.backend().instructions(i)) std::fprintf(stderr, ", vcpu%u %llu instructions", i, static_cast<unsigned long long>(*n));
  }
  if (const auto f = machine.backend().footprint()) std::fprintf(stderr, ", %llu KiB of at most %llu besides guest memory", static_cast<unsigned long long>(f->now >> 10), static_cast<unsigned long long>(f->most >> 10));
  std::fputc('\n', stderr);
}

int run(int argc, char** argv) {
  // 1. what is asked for
  mv::Options options;
  if (const auto printout = mv::parse_options(argc, argv, options)) {
    std::cout << printout->text;
    return 0;
  }
  if (options.plugin) return mv::run_plugin(options);
  // 2. the images, and whether they fit
  if (!options.firmware.empty()) {
    mv::load_firmware(options.firmware, options.machine);
  } else if (options.linux_guest) {
    mv::load_linux(*options.linux_guest, options.machine);
  } else {
    for (const mv::FlatSpec& spec : options.flat) options.machine.images.push_back(mv::read_flat(spec, options.machine.vm.memory_bytes));
    const uint64_t base = options.machine.arch == mv::Arch::arm64 ? mv::Arm64Layout::kMemoryBase : 0;
    mv::check_images(options.flat, options.machine.images, base, options.machine.vm.memory_bytes);
  }
  // 3. the machine
  mv::hold_stop_signals();
  const mv::Fd console = open_output(options.virtio_console, STDOUT_FILENO);
  const mv::Fd debug = open_output(options.debug_port, STDERR_FILENO);
  mv::Machine machine(options.machine, {.console = to_stdout, .walk = to_stderr, .served = {}, .virtio_console = [&](auto bytes) { to_file(console, bytes); }, .debug = [&](uint8_t byte) { to_file(debug, std::as_bytes(std::span(&byte, 1))); }});
  // 4. the guest runs
  const mv::Outcome outcome = mv::run_on_console(machine);
  // 5. how it went
  if (options.stats) print_stats(machine, options.machine.vm.vcpus);
  if (outcome.kind == mv::OutcomeKind::crashed) std::fprintf(stderr, "mvmm: the guest crashed: %s\n", outcome.detail.c_str());
  return mv::exit_code(outcome);
}

}  // namespace

int main(int argc, char** argv) {
  open_standard_descriptors();
  std::signal(SIGPIPE, SIG_IGN);
  try {
    return run(argc, argv);
  } catch (const boost::program_options::error& e) {
    std::fprintf(stderr, "mvmm: %s (see mvmm --help)\n", e.what());
  } catch (const std::invalid_argument& e) {
    std::fprintf(stderr, "mvmm: %s\n", e.what());
  } catch (const std::system_error& e) {
    std::fprintf(stderr, "mvmm: %s\n", e.what());
  } catch (const std::exception& e) {
    std::fprintf(stderr, "mvmm: the backend failed: %s\n", e.what());
    return mv::kExitFailed;
  }
  return mv::kExitUsage;
}
