// SPDX-License-Identifier: MIT
// What the fuzzer of the host's parser begins with: a conversation for every request there is, written by the library's own messages
// into the directory MV_CORPUS.
#include <gtest/gtest.h>

#include <linux/kvm.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "plugin.pb.h"
#include "plugin/wire/wire2018.h"

namespace mv::test {
namespace {

using wire::MainRequest;
using wire::VcpuRequest;

std::string step(char kind, const std::string& bytes) {
  return std::string{kind, static_cast<char>(bytes.size()), static_cast<char>(bytes.size() >> 8)} + bytes;
}

class Corpus {
 public:
  explicit Corpus(const char* directory) : directory_(directory) { std::filesystem::create_directories(directory_); }
  void add(const std::string& script) { std::ofstream(directory_ / std::to_string(files_++), std::ios::binary) << script; }
  size_t files() const { return files_; }

 private:
  std::filesystem::path directory_;
  size_t files_ = 0;
};

template <typename Fill>
std::string main_bytes(Fill fill) {
  MainRequest m;
  fill(m);
  return m.SerializeAsString();
}

template <typename Fill>
std::string vcpu_bytes(Fill fill) {
  VcpuRequest m;
  fill(m);
  return m.SerializeAsString();
}

void add_objects(Corpus& corpus) {
  const auto memory = main_bytes([](auto& m) {
    m.mutable_create()->set_id(1);
    auto& spec = *m.mutable_create()->mutable_memory();
    spec.set_start(0x1000);
    spec.set_length(0x2000);
    spec.set_dirty_log(true);
  });
  const auto io = main_bytes([](auto& m) {
    m.mutable_create()->set_id(2);
    auto& spec = *m.mutable_create()->mutable_io_event();
    spec.set_address(0x500);
    spec.set_length(2);
    spec.set_datamatch(7);
  });
  const auto irq = main_bytes([](auto& m) {
    m.mutable_create()->set_id(3);
    m.mutable_create()->mutable_irq_event()->set_irq_id(4);
  });
  const auto log = main_bytes([](auto& m) { m.mutable_dirty_log()->set_id(1); });
  const auto gone = main_bytes([](auto& m) { m.mutable_destroy()->set_id(1); });
  corpus.add(step('f', memory) + step('m', log) + step('m', gone) + step('m', memory));
  corpus.add(step('m', io) + step('m', io) + step('m', irq));
  corpus.add(step('f', wire::main_request_for_2018(memory)) + step('o', wire::main_request_for_2018(io)));
}

void add_main_requests(Corpus& corpus) {
  const auto one = [&](auto fill) { corpus.add(step('m', main_bytes(fill))); };
  one([](auto& m) { m.mutable_new_connection(); });
  one([](auto& m) { m.mutable_get_shutdown_eventfd(); });
  one([](auto& m) { m.mutable_check_extension()->set_extension(KVM_CAP_IRQCHIP); });
  one([](auto& m) { m.mutable_get_supported_cpuid(); });
  one([](auto& m) { m.mutable_get_emulated_cpuid(); });
  one([](auto& m) { m.mutable_get_msr_index_list(); });
  one([](auto& m) { m.mutable_get_net_config(); });
  one([](auto& m) {
    m.mutable_set_irq()->set_irq_id(5);
    m.mutable_set_irq()->set_active(true);
  });
  one([](auto& m) {
    auto* pin = m.mutable_set_irq_routing()->add_routes();
    pin->set_irq_id(1);
    pin->mutable_irqchip()->set_irqchip(2);
    auto* msi = m.mutable_set_irq_routing()->add_routes();
    msi->set_irq_id(2);
    msi->mutable_msi()->set_address(0xfee00000);
  });
  one([](auto& m) { m.mutable_set_identity_map_address()->set_address(0xfffbc000); });
  one([](auto& m) { m.mutable_pause_vcpus()->set_cpu_mask(1); });
  one([](auto& m) { m.mutable_get_vcpus(); });
  one([](auto& m) { m.mutable_start(); });
  const size_t sizes[] = {sizeof(kvm_pic_state), sizeof(kvm_pic_state), sizeof(kvm_ioapic_state), sizeof(kvm_pit_state2), sizeof(kvm_clock_data)};
  for (int set = 0; set < 5; ++set) {
    const auto get = main_bytes([&](auto& m) { m.mutable_get_state()->set_set(static_cast<MainRequest::State>(set)); });
    const auto put = main_bytes([&](auto& m) {
      m.mutable_set_state()->set_set(static_cast<MainRequest::State>(set));
      m.mutable_set_state()->set_state(std::string(sizes[set], '\0'));
    });
    corpus.add(step('m', get) + step('m', put));
  }
}

void add_vcpu_requests(Corpus& corpus) {
  const auto wait = vcpu_bytes([](auto& m) { m.mutable_wait(); });
  const auto resume = vcpu_bytes([](auto& m) { m.mutable_resume()->set_data("\1"); });
  const size_t sizes[] = {sizeof(kvm_regs),        sizeof(kvm_sregs),    sizeof(kvm_fpu),  sizeof(kvm_debugregs),
                          sizeof(kvm_lapic_state), sizeof(kvm_mp_state), sizeof(kvm_xcrs), sizeof(kvm_vcpu_events)};
  for (int set = 0; set < 8; ++set) {
    const auto get = vcpu_bytes([&](auto& m) { m.mutable_get_state()->set_set(static_cast<VcpuRequest::State>(set)); });
    const auto put = vcpu_bytes([&](auto& m) {
      m.mutable_set_state()->set_set(static_cast<VcpuRequest::State>(set));
      m.mutable_set_state()->set_state(std::string(sizes[set], '\0'));
    });
    corpus.add(step('v', wait) + step('v', get) + step('v', put) + step('v', resume));
  }
  const auto msrs = vcpu_bytes([](auto& m) {
    auto* e = m.mutable_set_msrs()->add_entries();
    e->set_index(0x174);
    e->set_data(7);
  });
  const auto read = vcpu_bytes([](auto& m) { m.mutable_get_msrs()->add_entry_indices(0x174); });
  const auto cpuid = vcpu_bytes([](auto& m) { m.mutable_set_cpuid()->add_entries()->set_function(7); });
  corpus.add(step('v', wait) + step('v', msrs + read) + step('v', cpuid) + step('v', resume));
  const auto hyperv = vcpu_bytes([](auto& m) { m.mutable_get_hyperv_cpuid(); }) + vcpu_bytes([](auto& m) { m.mutable_enable_capability()->set_capability(123); });
  corpus.add(step('v', wait) + step('v', hyperv));
  const auto range = main_bytes([](auto& m) {
    m.mutable_reserve_range()->set_start(0x500);
    m.mutable_reserve_range()->set_length(4);
  });
  const auto hint = main_bytes([](auto& m) {
    m.mutable_set_call_hint()->set_address(0x500);
    auto* h = m.mutable_set_call_hint()->add_hints();
    h->set_match_rax(true);
    h->set_send_sregs(true);
  });
  const auto later = vcpu_bytes([](auto& m) { m.mutable_resume()->set_regs(std::string(sizeof(kvm_regs), '\0')); });
  std::string in(18, '\0'), out(18, '\0');
  in[3] = out[3] = 5;
  out[0] = 2;
  corpus.add(step('m', range) + step('m', hint) + step('v', wait + resume) + step('a', in) + step('v', resume) + step('a', out) + step('v', later) +
             step('p', "") + step('v', resume));
  corpus.add(step('q', wait) + step('q', resume) + step('a', in) + step('q', wait) + step('q', resume));
}

TEST(PluginFuzz, CorpusHasEveryRequest) {
  const char* given = getenv("MV_CORPUS");
  const std::string directory = given ? given : testing::TempDir() + "plugin_corpus";
  Corpus corpus(directory.c_str());
  add_objects(corpus);
  add_main_requests(corpus);
  add_vcpu_requests(corpus);
  EXPECT_EQ(corpus.files(), 33u);
  for (const auto& file : std::filesystem::directory_iterator(directory)) EXPECT_GT(file.file_size(), 3u);
}

}  // namespace
}  // namespace mv::test
