// SPDX-License-Identifier: MIT
#include "app/options.h"

#include <boost/program_options.hpp>
#include <sstream>
#include <stdexcept>

#include "vmm/backend/device_tree.h"

namespace po = boost::program_options;

namespace mv {

namespace {

constexpr const char* kUsage =
    "usage: mvmm [--backend inproc|acrn|gunyah] --flat FILE@ADDRESS [options]\n"
    "       mvmm [--backend inproc|acrn|gunyah] --kernel FILE [--initrd FILE] [--append STRING] [options]\n"
    "       mvmm [--backend inproc|acrn|gunyah] --firmware FILE [--disk FILE] [options]\n\n"
    "Runs a guest on a software CPU: in this process (inproc), or behind /dev/acrn_hsm or /dev/gunyah.\n";

constexpr const char* kNotes =
    "\nThe guest starts at the address of the first --flat. Standard input and output are its UART\n"
    "(x86-64: 16550 at port 0x3f8; arm64: PL011 at 0x09000000). On a terminal Ctrl-A x quits.\n"
    "The end of a piped input is typed as Ctrl-D (0x04).\n"
    "\nexit codes: 0..99 what the guest wrote to the debug exit device (port 0xf4, or 0x09010000),\n"
    "0 it powered off, 2 invalid request, 100 it crashed, 101 it asked for a reset,\n"
    "102 stopped by a quit key or a signal, 103 the backend failed.\n";

bool asked(const po::variables_map& given, const char* option) { return given.count(option) && !given[option].defaulted(); }

Arch parse_arch(const std::string& text) {
  if (text == "x86_64") return Arch::x86_64;
  if (text == "arm64") return Arch::arm64;
  throw std::invalid_argument("--arch " + text + ": valid are x86_64, arm64");
}

StartMode parse_mode(const std::string& text, Arch arch) {
  if (arch == Arch::arm64) return StartMode::arm64;
  if (text == "16") return StartMode::real16;
  if (text == "32") return StartMode::protected32;
  if (text == "64") return StartMode::long64;
  throw std::invalid_argument("--mode " + text + ": valid are 16, 32, 64");
}

// acrn is x86-64 and gunyah is arm64; inproc is either.
Arch arch_of(const std::string& backend, const po::variables_map& given) {
  if (backend == "kvm") throw std::invalid_argument("--backend kvm: with --plugin only");
  if (backend != "inproc" && backend != "acrn" && backend != "gunyah") {
    throw std::invalid_argument("--backend " + backend + ": valid are inproc, acrn, gunyah");
  }
  const Arch fixed = backend == "gunyah" ? Arch::arm64 : Arch::x86_64;
  if (!given.count("arch")) return fixed;
  const Arch asked = parse_arch(given["arch"].as<std::string>());
  if (backend != "inproc" && asked != fixed) {
    throw std::invalid_argument("--backend " + backend + " runs " + std::string(name(fixed)) + " guests only: leave --arch out");
  }
  return asked;
}

constexpr const char* kLinuxMemory = "256m";  // and firmware's

void fill_linux(const po::variables_map& given, Options& o) {
  if (given.count("flat")) throw std::invalid_argument("--kernel and --flat: one of them");
  const auto text = [&](const char* option) { return given.count(option) ? given[option].as<std::string>() : std::string(); };
  o.linux_guest = LinuxSpec{text("kernel"), text("initrd"), text("append"), false};
  if (given["mode"].defaulted()) return;
  const std::string mode = given["mode"].as<std::string>();
  if (mode != "32" && mode != "64") throw std::invalid_argument("--mode " + mode + ": with --kernel for x86-64 valid are 32, 64");
  o.linux_guest->entry32 = mode == "32";
}

void fill_firmware(const po::variables_map& given, Options& o) {
  if (given.count("flat") || given.count("kernel")) throw std::invalid_argument("--firmware and --flat or --kernel: one of them");
  if (o.machine.arch == Arch::arm64) {
    for (const char* option : {"debug-port", "swiotlb"}) {
      if (given.count(option)) throw std::invalid_argument(std::string("--") + option + ": not with firmware for arm64");
    }
  }
  o.firmware = given["firmware"].as<std::string>();
  if (given.count("debug-port")) o.debug_port = given["debug-port"].as<std::string>();
}

// "FILE" or "FILE,readonly".
DiskSpec parse_disk(const std::string& text) {
  const std::string suffix = ",readonly";
  const bool read_only = text.size() > suffix.size() && text.ends_with(suffix);
  const std::string file = read_only ? text.substr(0, text.size() - suffix.size()) : text;
  const size_t comma = file.rfind(',');
  if (file.empty() || (!read_only && comma != std::string::npos && file.find('/', comma) == std::string::npos)) {
    throw std::invalid_argument("--disk " + text + ": valid is FILE or FILE,readonly");
  }
  return {file, read_only};
}

OnReset parse_on_reset(const std::string& text) {
  if (text == "exit") return OnReset::exit;
  if (text == "restart") return OnReset::restart;
  throw std::invalid_argument("--on-reset " + text + ": valid are exit, restart");
}

uint64_t parse_pool(const std::string& text, const MachineConfig& m) {
  if (m.vm.unprotected) throw std::invalid_argument("--swiotlb and --unprotected: one of them");
  if (m.arch != Arch::arm64) throw std::invalid_argument("--swiotlb: with AArch64 guests only");
  const uint64_t size = parse_size(text, "--swiotlb");
  if (size % (1 << 20) || size > (1 << 30)) throw std::invalid_argument("--swiotlb: valid are 1m to 1g, and a multiple of 1m");
  return size;
}

void fill_devices(const po::variables_map& given, Options& o) {
  MachineConfig& m = o.machine;
  if (given.count("disk")) {
    for (const std::string& text : given["disk"].as<std::vector<std::string>>()) m.disks.push_back(parse_disk(text));
  }
  if (m.disks.size() > VirtioPlan::kMostDisks) throw std::invalid_argument("--disk: at most 16 of them");
  m.rng = given.count("rng") != 0;
  if (given.count("virtio-console")) {
    o.virtio_console = given["virtio-console"].as<std::string>();
    if (o.virtio_console.empty()) throw std::invalid_argument("--virtio-console: valid is FILE, or - for standard input and output");
    m.virtio_console = true;
    m.type_at_virtio = o.virtio_console == "-";
  }
  m.vm.unprotected = given.count("unprotected") != 0;
  if (m.vm.unprotected && m.backend != "gunyah") throw std::invalid_argument("--unprotected: with --backend gunyah only");
  if (given.count("swiotlb")) m.vm.chosen.pool_size = parse_pool(given["swiotlb"].as<std::string>(), m);
  m.vm.huge_pages = given.count("hugepages") != 0;
  if (m.vm.huge_pages && m.backend != "acrn") throw std::invalid_argument("--hugepages: with --backend acrn only");
  if (given.count("virtual-time")) {
    if (m.backend != "inproc" || m.arch != Arch::x86_64 || m.vm.vcpus != 1 || !m.disks.empty() || m.rng || m.virtio_console) {
      throw std::invalid_argument("--virtual-time: with --backend inproc, an x86-64 guest, one vCPU and without virtio devices only");
    }
    m.vm.virtual_time = given["virtual-time"].as<uint64_t>();
  }
  m.on_reset = parse_on_reset(given["on-reset"].as<std::string>());
}

// The program brings memory and devices; what is left to say is the number of vCPUs.
void fill_plugin(const po::variables_map& given, Options& o) {
  for (const char* option : {"flat", "kernel", "initrd", "append", "firmware", "debug-port", "memory", "mode", "disk", "rng", "virtio-console",
                             "unprotected", "swiotlb", "hugepages", "on-reset", "virtual-time", "walk", "stats"}) {
    if (asked(given, option)) throw std::invalid_argument(std::string("--plugin and --") + option + ": one of them");
  }
  o.machine.backend = given["backend"].as<std::string>();
  const std::string& backend = o.machine.backend;
  if (backend != "inproc" && backend != "acrn" && backend != "kvm") throw std::invalid_argument("--plugin: with --backend inproc, acrn or kvm only");
  if (given.count("arch") && given["arch"].as<std::string>() != "x86_64") throw std::invalid_argument("--plugin: x86-64 guests only");
  o.plugin = parse_plugin(given);
  o.machine.vm.vcpus = given["cpus"].as<unsigned>();
  if (o.machine.vm.vcpus < 1 || o.machine.vm.vcpus > 32) throw std::invalid_argument("--cpus: valid are 1 to 32 with --plugin");
}

void fill(const po::variables_map& given, Options& o) {
  if (given.count("plugin")) return fill_plugin(given, o);
  refuse_plugin_options(given);
  MachineConfig& m = o.machine;
  m.backend = given["backend"].as<std::string>();
  m.arch = arch_of(m.backend, given);
  const bool linux_guest = given.count("kernel") != 0, firmware = given.count("firmware") != 0;
  for (const char* option : {"initrd", "append"}) {
    if (given.count(option) && !linux_guest) throw std::invalid_argument(std::string("--") + option + ": with --kernel only");
  }
  if (asked(given, "mode") && (firmware || m.arch == Arch::arm64)) throw std::invalid_argument("--mode: x86-64 guests without --firmware only");
  if (given.count("debug-port") && !firmware) throw std::invalid_argument("--debug-port: with --firmware only");
  if (firmware) {
    fill_firmware(given, o);
  } else if (linux_guest) {
    fill_linux(given, o);
  } else if (!given.count("flat")) {
    throw std::invalid_argument("nothing to run: give a guest with --flat FILE@ADDRESS, --kernel FILE or --firmware FILE");
  } else {
    for (const std::string& text : given["flat"].as<std::vector<std::string>>()) o.flat.push_back(parse_flat(text));
  }
  m.vm.memory_bytes = parse_size((linux_guest || firmware) && given["memory"].defaulted() ? kLinuxMemory : given["memory"].as<std::string>());
  if (m.vm.memory_bytes % 4096 || m.vm.memory_bytes < (1 << 20)) {
    throw std::invalid_argument("--memory: at least 1m, and a multiple of 4k");
  }
  m.vm.vcpus = given["cpus"].as<unsigned>();
  if (m.vm.vcpus < 1 || m.vm.vcpus > 16) throw std::invalid_argument("--cpus: valid are 1 to 16");
  m.vm.mode = firmware && m.arch == Arch::x86_64 ? StartMode::reset : linux_guest && m.arch == Arch::x86_64 ? StartMode::linux64 : parse_mode(given["mode"].as<std::string>(), m.arch);
  if (!linux_guest && !firmware) m.vm.entry = o.flat.front().gpa;
  m.vm.walk = o.walk = given.count("walk") != 0;
  o.stats = given.count("stats") != 0;
  fill_devices(given, o);
}

}  // namespace

std::optional<Printout> parse_options(int argc, const char* const* argv, Options& options) {
  po::options_description all("options");
  // clang-format off
  all.add_options()
      ("help,h", "print this and end")
      ("version", "print the version and end")
      ("backend", po::value<std::string>()->default_value("inproc"), "inproc, acrn or gunyah; with --plugin inproc, acrn or kvm")
      ("arch", po::value<std::string>(), "x86_64 or arm64; inproc only (default x86_64)")
      ("mode", po::value<std::string>()->default_value("64"), "x86-64 guests start in 16-, 32- or 64-bit mode; with a bzImage: 32 is its 32-bit entry")
      ("flat", po::value<std::vector<std::string>>()->composing(), "FILE@ADDRESS: raw bytes at a guest-physical address; may be repeated")
      ("kernel", po::value<std::string>(), "Linux (bzImage, or arm64 Image), a multiboot kernel or an ELF file; memory is 256m then unless --memory is given")
      ("initrd", po::value<std::string>(), "initial RAM disk for --kernel, or multiboot's module")
      ("append", po::value<std::string>(), "command line for --kernel")
      ("firmware", po::value<std::string>(), "where the machine starts: SeaBIOS, OVMF or another image for PCs, U-Boot for arm64; memory as with --kernel")
      ("debug-port", po::value<std::string>(), "FILE for what firmware writes to its debug ports, 0x402 and 0xe9; - is standard error")
      ("memory", po::value<std::string>()->default_value("64m"), "guest memory in bytes, with k, m or g")
      ("cpus", po::value<unsigned>()->default_value(1), "vCPUs, 1 to 16; with --plugin 1 to 32")
      ("disk", po::value<std::vector<std::string>>()->composing(), "FILE[,readonly]: a raw image as virtio block device; may be repeated")
      ("virtio-console", po::value<std::string>(), "FILE for what the guest writes to its virtio console; - is standard input and output")
      ("rng", "a virtio source of entropy")
      ("unprotected", "guest memory is shared with mvmm instead of lent to the guest; gunyah only")
      ("swiotlb", po::value<std::string>(), "bytes of memory, with k, m or g, beside the rest: all that virtio devices see; arm64 only")
      ("hugepages", "guest memory from the host's pool of 2 MiB pages; acrn only")
      ("on-reset", po::value<std::string>()->default_value("exit"), "exit or restart: what a guest that resets itself gets")
      ("virtual-time", po::value<uint64_t>(), "SEED: time is the number of instructions, so that each run with the same seed is the same; inproc, x86-64, one vCPU")
      ("walk", "print every device access to standard error, with the seven words of its walk and their times")
      ("stats", "print what was served to standard error at the end");
  // clang-format on
  add_plugin_options(all);
  po::variables_map given;
  po::store(po::command_line_parser(argc, argv).options(all).positional({}).run(), given);
  po::notify(given);
  if (given.count("help")) {
    std::ostringstream text;
    text << kUsage << '\n' << all << kNotes;
    return Printout{text.str()};
  }
  if (given.count("version")) return Printout{"mvmm " MV_VERSION "\n"};
  fill(given, options);
  return std::nullopt;
}

}  // namespace mv
