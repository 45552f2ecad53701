// SPDX-License-Identifier: MIT
// mvmm's command line, sizes and images, exit codes: bad input gives one sentence with the valid form.
#include "app/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/program_options/errors.hpp>
#include <fstream>

namespace {

using testing::HasSubstr;

mv::Options parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "mvmm");
  mv::Options o;
  EXPECT_FALSE(mv::parse_options(static_cast<int>(arguments.size()), arguments.data(), o));
  return o;
}

// What the refusal says.
std::string refusal(std::vector<const char*> arguments) {
  try {
    parse(std::move(arguments));
  } catch (const std::exception& e) {
    EXPECT_THAT(e.what(), testing::Not(HasSubstr("\n"))) << "one sentence";
    return e.what();
  }
  return "(accepted)";
}

TEST(Options, Defaults) {
  const mv::Options o = parse({"--flat", "a.bin@0x10000"});
  EXPECT_EQ(o.machine.backend, "inproc");
  EXPECT_EQ(o.machine.arch, mv::Arch::x86_64);
  EXPECT_EQ(o.machine.vm.mode, mv::StartMode::long64);
  EXPECT_EQ(o.machine.vm.memory_bytes, 64u << 20);
  EXPECT_EQ(o.machine.vm.vcpus, 1u);
  EXPECT_EQ(o.machine.vm.entry, 0x10000u);
  EXPECT_FALSE(o.walk || o.stats || o.machine.vm.walk);
}

TEST(Options, Everything) {
  const mv::Options o = parse({"--backend", "acrn", "--mode", "16", "--flat", "a@1", "--flat", "b@0x2", "--memory", "2m", "--cpus", "4", "--walk", "--stats"});
  EXPECT_EQ(o.machine.backend, "acrn");
  EXPECT_EQ(o.machine.vm.mode, mv::StartMode::real16);
  ASSERT_EQ(o.flat.size(), 2u);
  EXPECT_EQ(o.flat[1].gpa, 2u);
  EXPECT_EQ(o.machine.vm.entry, 1u) << "the first image's";
  EXPECT_EQ(o.machine.vm.memory_bytes, 2u << 20);
  EXPECT_EQ(o.machine.vm.vcpus, 4u);
  EXPECT_TRUE(o.walk && o.stats && o.machine.vm.walk);
}

TEST(Options, Linux) {
  const mv::Options o = parse({"--kernel", "bzImage", "--initrd", "rd", "--append", "console=ttyS0 quiet"});
  ASSERT_TRUE(o.linux_guest);
  EXPECT_EQ(o.linux_guest->kernel, "bzImage");
  EXPECT_EQ(o.linux_guest->initrd, "rd");
  EXPECT_EQ(o.linux_guest->command_line, "console=ttyS0 quiet");
  EXPECT_EQ(o.machine.vm.mode, mv::StartMode::linux64);
  EXPECT_EQ(o.machine.vm.memory_bytes, 256u << 20);
  EXPECT_EQ(parse({"--kernel", "k", "--memory", "64m"}).machine.vm.memory_bytes, 64u << 20);
  EXPECT_THAT(refusal({"--kernel", "k", "--flat", "a@1"}), HasSubstr("one of them"));
  EXPECT_FALSE(parse({"--kernel", "k", "--mode", "64"}).linux_guest->entry32);
  EXPECT_TRUE(parse({"--kernel", "k", "--mode", "32"}).linux_guest->entry32);
  EXPECT_THAT(refusal({"--kernel", "k", "--mode", "16"}), HasSubstr("valid are 32, 64"));
  const mv::Options f = parse({"--firmware", "bios.bin", "--debug-port", "-"});
  EXPECT_EQ(f.firmware, "bios.bin");
  EXPECT_EQ(f.debug_port, "-");
  EXPECT_EQ(f.machine.vm.mode, mv::StartMode::reset);
  EXPECT_EQ(f.machine.vm.memory_bytes, 256u << 20);
  EXPECT_EQ(parse({"--kernel", "k", "--virtual-time", "7"}).machine.vm.virtual_time, std::optional<uint64_t>(7));
  for (const char* more : {"--cpus=2", "--rng", "--disk=d", "--arch=arm64", "--backend=acrn", "--virtio-console=x"}) {
    EXPECT_THAT(refusal({"--kernel", "k", "--virtual-time", "7", more}), HasSubstr("one vCPU and without virtio devices")) << more;
  }
  EXPECT_THAT(refusal({"--firmware", "b", "--kernel", "k"}), HasSubstr("one of them"));
  EXPECT_EQ(parse({"--firmware", "b", "--arch", "arm64"}).machine.vm.mode, mv::StartMode::arm64);
  EXPECT_THAT(refusal({"--firmware", "b", "--arch", "arm64", "--swiotlb", "1m"}), HasSubstr("not with firmware for arm64"));
  EXPECT_THAT(refusal({"--kernel", "k", "--debug-port", "-"}), HasSubstr("--firmware only"));
  EXPECT_EQ(parse({"--kernel", "k"}).machine.vm.mode, mv::StartMode::linux64);
  EXPECT_EQ(parse({"--kernel", "k", "--arch", "arm64"}).machine.vm.mode, mv::StartMode::arm64);
}

TEST(Options, Devices) {
  const mv::Options o = parse({"--kernel", "k", "--disk", "a.img", "--disk", "dir,1/b,readonly", "--rng", "--virtio-console", "-", "--on-reset", "restart"});
  ASSERT_EQ(o.machine.disks.size(), 2u);
  EXPECT_EQ(o.machine.disks[0].file, "a.img");
  EXPECT_FALSE(o.machine.disks[0].read_only);
  EXPECT_EQ(o.machine.disks[1].file, "dir,1/b");
  EXPECT_TRUE(o.machine.disks[1].read_only && o.machine.rng && o.machine.virtio_console && o.machine.type_at_virtio);
  EXPECT_EQ(o.machine.on_reset, mv::OnReset::restart);
  EXPECT_FALSE(parse({"--kernel", "k", "--virtio-console", "out.txt"}).machine.type_at_virtio);
  EXPECT_TRUE(parse({"--backend", "acrn", "--kernel", "k", "--hugepages"}).machine.vm.huge_pages);
  EXPECT_THAT(refusal({"--kernel", "k", "--disk", "a,ro"}), HasSubstr("FILE,readonly"));
  EXPECT_THAT(refusal({"--kernel", "k", "--disk", ""}), HasSubstr("FILE,readonly"));
  EXPECT_THAT(refusal({"--kernel", "k", "--virtio-console", ""}), HasSubstr("FILE"));
  EXPECT_THAT(refusal({"--kernel", "k", "--on-reset", "halt"}), HasSubstr("exit, restart"));
  EXPECT_TRUE(parse({"--backend", "gunyah", "--kernel", "k", "--unprotected"}).machine.vm.unprotected);
  EXPECT_THAT(refusal({"--kernel", "k", "--arch", "arm64", "--unprotected"}), HasSubstr("gunyah only"));
  EXPECT_EQ(parse({"--backend", "gunyah", "--kernel", "k", "--swiotlb", "8m"}).machine.vm.chosen.pool_size, 8u << 20);
  EXPECT_THAT(refusal({"--kernel", "k", "--swiotlb", "8m"}), HasSubstr("AArch64"));
  for (const char* size : {"4k", "1025k", "2g"}) EXPECT_THAT(refusal({"--arch", "arm64", "--kernel", "k", "--swiotlb", size}), HasSubstr("multiple of 1m")) << size;
  EXPECT_THAT(refusal({"--arch", "arm64", "--kernel", "k", "--swiotlb", "0"}), HasSubstr("--swiotlb 0"));
  EXPECT_THAT(refusal({"--backend", "gunyah", "--kernel", "k", "--swiotlb", "1m", "--unprotected"}), HasSubstr("one of them"));
  EXPECT_THAT(refusal({"--kernel", "k", "--hugepages"}), HasSubstr("acrn only"));
  EXPECT_TRUE(parse({"--arch", "arm64", "--flat", "a@1", "--rng"}).machine.rng);
  EXPECT_EQ(parse({"--arch", "arm64", "--flat", "a@1", "--on-reset", "restart"}).machine.on_reset, mv::OnReset::restart);
}

TEST(Options, ArchitectureFollowsTheBackend) {
  EXPECT_EQ(parse({"--backend", "gunyah", "--flat", "a@1"}).machine.arch, mv::Arch::arm64);
  EXPECT_EQ(parse({"--backend", "inproc", "--arch", "arm64", "--flat", "a@1"}).machine.vm.mode, mv::StartMode::arm64);
  EXPECT_THAT(refusal({"--backend", "acrn", "--arch", "arm64", "--flat", "a@1"}), HasSubstr("x86-64 guests only"));
  EXPECT_THAT(refusal({"--backend", "gunyah", "--arch", "x86_64", "--flat", "a@1"}), HasSubstr("arm64 guests only"));
}

TEST(Options, RefusalsNameTheValidForm) {
  EXPECT_THAT(refusal({}), HasSubstr("--flat FILE@ADDRESS"));
  EXPECT_THAT(refusal({"--flat", "a"}), HasSubstr("FILE@ADDRESS"));
  EXPECT_THAT(refusal({"--backend", "xen", "--flat", "a@1"}), HasSubstr("valid are inproc, acrn, gunyah"));
  EXPECT_THAT(refusal({"--arch", "mips", "--flat", "a@1"}), HasSubstr("valid are x86_64, arm64"));
  EXPECT_THAT(refusal({"--mode", "8", "--flat", "a@1"}), HasSubstr("valid are 16, 32, 64"));
  EXPECT_THAT(refusal({"--cpus", "0", "--flat", "a@1"}), HasSubstr("valid are 1 to 16"));
  EXPECT_THAT(refusal({"--cpus", "17", "--flat", "a@1"}), HasSubstr("valid are 1 to 16"));
  EXPECT_THAT(refusal({"--initrd", "i", "--flat", "a@1"}), HasSubstr("--initrd: with --kernel only"));
  EXPECT_THAT(refusal({"--append", "quiet", "--firmware", "b"}), HasSubstr("--append: with --kernel only"));
  EXPECT_THAT(refusal({"--mode", "32", "--firmware", "b"}), HasSubstr("--mode: x86-64 guests without --firmware only"));
  for (const char* guest : {"--flat=a@1", "--kernel=k"}) {
    EXPECT_THAT(refusal({"--mode", "64", "--arch", "arm64", guest}), HasSubstr("--mode: x86-64 guests")) << guest;
  }
  for (const char* theirs : {"--memory=1g", "--append=quiet", "--walk", "--stats", "--on-reset=exit"}) {
    EXPECT_THAT(refusal({"--plugin", "p", theirs}), HasSubstr("--plugin and --")) << theirs;
  }
  EXPECT_THAT(refusal({"--memory", "64x", "--flat", "a@1"}), HasSubstr("e.g. 64m"));
  EXPECT_THAT(refusal({"--memory", "4097", "--flat", "a@1"}), HasSubstr("multiple of 4k"));
  EXPECT_THAT(refusal({"--memory", "4k", "--flat", "a@1"}), HasSubstr("at least 1m"));
}

TEST(Options, UnknownAndIncompleteOptionsAreNamed) {
  EXPECT_THAT(refusal({"--frobnicate"}), HasSubstr("frobnicate"));
  EXPECT_THAT(refusal({"--flat"}), HasSubstr("flat"));
  EXPECT_THAT(refusal({"--cpus", "two", "--flat", "a@1"}), HasSubstr("cpus"));
  EXPECT_NE(refusal({"stray"}), "(accepted)");
}

TEST(Options, HelpListsEveryExitCode) {
  const char* argv[] = {"mvmm", "--help"};
  mv::Options o;
  const auto help = mv::parse_options(2, argv, o);
  ASSERT_TRUE(help);
  for (const char* code : {"0..99", "0 it powered off", " 2 ", "100", "101", "102", "103"}) EXPECT_THAT(help->text, HasSubstr(code));
  for (const char* option : {"--help", "--version", "--backend", "--arch", "--mode", "--flat", "--kernel", "--initrd", "--append", "--memory", "--cpus", "--walk", "--stats"}) {
    EXPECT_THAT(help->text, HasSubstr(option));
  }
}

TEST(Options, Version) {
  const char* argv[] = {"mvmm", "--version"};
  mv::Options o;
  const auto version = mv::parse_options(2, argv, o);
  ASSERT_TRUE(version);
  EXPECT_THAT(version->text, testing::StartsWith("mvmm "));
}

TEST(Flat, AddressInCNotation) {
  EXPECT_EQ(mv::parse_flat("a@0x10").gpa, 0x10u);
  EXPECT_EQ(mv::parse_flat("a@0X10").gpa, 0x10u);
  EXPECT_EQ(mv::parse_flat("a@010").gpa, 8u);
  EXPECT_EQ(mv::parse_flat("a@10").gpa, 10u);
  EXPECT_EQ(mv::parse_flat("a@0").gpa, 0u);
  EXPECT_EQ(mv::parse_flat("at@home@0x10").file, "at@home") << "the last @ counts";
  EXPECT_EQ(mv::parse_flat("a@0xffffffffffffffff").gpa, ~uint64_t{0});
}

TEST(Flat, BadForms) {
  for (const char* text : {"", "a", "@1", "a@", "a@x", "a@0x", "a@1 ", "a@-1", "a@0x1g", "a@08", "a@0x10000000000000000", "a@18446744073709551616"}) {
    EXPECT_THROW(mv::parse_flat(text), std::invalid_argument) << text;
  }
}

TEST(Flat, Sizes) {
  EXPECT_EQ(mv::parse_size("4096"), 4096u);
  EXPECT_EQ(mv::parse_size("4k"), 4096u);
  EXPECT_EQ(mv::parse_size("4K"), 4096u);
  EXPECT_EQ(mv::parse_size("3m"), 3u << 20);
  EXPECT_EQ(mv::parse_size("1G"), 1u << 30);
  EXPECT_EQ(mv::parse_size("0x10k"), 0x4000u);
  EXPECT_EQ(mv::parse_size("1024g"), uint64_t{1} << 40);
  for (const char* text : {"", "k", "0", "0m", "1t", "1.5g", "-1", "1mm", "1025g", "99999999999999999999", " 1m"}) {
    EXPECT_THROW(mv::parse_size(text), std::invalid_argument) << text;
  }
}

mv::Image image(uint64_t gpa, size_t bytes) { return {gpa, std::vector<std::byte>(bytes)}; }

TEST(Flat, ImagesLieInsideMemory) {
  const std::vector<mv::FlatSpec> one{{"one.bin", 0}};
  const auto check = [&](uint64_t gpa, size_t bytes) { mv::check_images(one, {image(gpa, bytes)}, 0x1000, 0x1000); };
  EXPECT_NO_THROW(check(0x1000, 0x1000));
  EXPECT_NO_THROW(check(0x1fff, 1));
  EXPECT_THROW(check(0xfff, 1), std::invalid_argument);
  EXPECT_THROW(check(0x2000, 1), std::invalid_argument);
  EXPECT_THROW(check(0x1001, 0x1000), std::invalid_argument);
  EXPECT_THROW(check(~uint64_t{0}, 2), std::invalid_argument);
}

TEST(Flat, OverlapNamesBothFiles) {
  const std::vector<mv::FlatSpec> two{{"one.bin", 0}, {"two.bin", 0}};
  EXPECT_NO_THROW(mv::check_images(two, {image(0, 16), image(16, 16)}, 0, 4096));
  try {
    mv::check_images(two, {image(0, 17), image(16, 16)}, 0, 4096);
    ADD_FAILURE() << "accepted";
  } catch (const std::invalid_argument& e) {
    EXPECT_THAT(e.what(), testing::AllOf(HasSubstr("one.bin"), HasSubstr("two.bin")));
  }
}

TEST(Flat, FilesThatCannotBeRead) {
  EXPECT_THROW(mv::read_flat({"/nonexistent/file", 0}), std::system_error);
  EXPECT_THROW(mv::read_flat({"/", 0}), std::system_error) << "a directory";
  EXPECT_THROW(mv::read_flat({"/dev/null", 0}), std::invalid_argument) << "empty";
  EXPECT_THROW(mv::read_flat({"/dev/zero", 0}, 1 << 20), std::invalid_argument) << "it never ends";
}

TEST(Flat, ReadsEveryByte) {
  const std::string name = testing::TempDir() + "mv_flat_" + std::to_string(::getpid());
  std::ofstream(name, std::ios::binary).write("a\0b\nc\xff", 6);
  const mv::Image i = mv::read_flat({name, 0x77});
  ::unlink(name.c_str());
  EXPECT_EQ(i.gpa, 0x77u);
  ASSERT_EQ(i.bytes.size(), 6u);
  EXPECT_EQ(i.bytes[5], std::byte{0xff});
}

TEST(Outcome, ExitCodes) {
  using mv::OutcomeKind;
  const auto code = [](OutcomeKind k, uint64_t c = 0) { return mv::exit_code({k, c, {}}); };
  EXPECT_EQ(code(OutcomeKind::exited, 0), 0);
  EXPECT_EQ(code(OutcomeKind::exited, 99), 99);
  EXPECT_EQ(code(OutcomeKind::exited, 100), 99) << "the guest cannot pretend";
  EXPECT_EQ(code(OutcomeKind::exited, ~uint64_t{0}), 99);
  EXPECT_EQ(code(OutcomeKind::powered_off), 0);
  EXPECT_EQ(code(OutcomeKind::crashed), 100);
  EXPECT_EQ(code(OutcomeKind::reset), 101);
  EXPECT_EQ(code(OutcomeKind::stopped), 102);
}

}  // namespace
