// SPDX-License-Identifier: MIT
// Connections, and what a connection asks of the host as a whole.
#include <fcntl.h>

#include <cstdlib>
#include <cstring>

#include "plugin/client/handles.h"
#include "plugin/client/spaces.h"

using mv::Fd;
using mv::plugin::guarded;
using mv::wire::MainRequest;
using mv::wire::MainResponse;

namespace {

constexpr const char* kSocketVariable = "CROSVM_SOCKET";

// The descriptor's number, or a negative errno.
int socket_from_environment() {
  const char* text = std::getenv(kSocketVariable);
  if (!text) return -ENOTCONN;
  char* end;
  errno = 0;
  const long number = std::strtol(text, &end, 10);
  return end == text || *end || errno || number < 0 || number > INT32_MAX ? -EINVAL : static_cast<int>(number);
}

int load_vcpus(crosvm& self) {
  MainRequest request;
  MainResponse response;
  std::vector<Fd> fds;
  request.mutable_get_vcpus();
  if (const int error = self.link.ask(request, MainRequest::kGetVcpus, response, {}, &fds)) return error;
  for (auto& link : mv::plugin::make_vcpu_links(std::move(fds))) self.machine->vcpus.push_back(std::make_unique<crosvm_vcpu>(std::move(link)));
  return self.machine->vcpus.empty() ? -EPROTO : 0;
}

// A request without parameters whose answer is one descriptor.
int ask_fd(crosvm& self, const MainRequest& request, MainRequest::MessageCase kind, MainResponse& response, Fd& fd) {
  std::vector<Fd> fds;
  if (const int error = self.link.ask(request, kind, response, {}, &fds)) return error;
  if (fds.size() != 1) return -EPROTO;
  fd = std::move(fds.front());
  return 0;
}

// The caller's from now on, also across exec.
int give_away(Fd& fd) {
  const int number = fcntl(fd.get(), F_DUPFD, 0);
  return number < 0 ? -errno : number;
}

int leaves(crosvm& self, MainRequest& request, MainRequest::MessageCase kind, uint32_t room, kvm_cpuid_entry2* entries, uint32_t* count) {
  *count = 0;
  MainResponse response;
  if (const int error = self.link.ask(request, kind, response)) return error;
  return mv::plugin::copy_cpuid(kind == MainRequest::kGetSupportedCpuid ? response.get_supported_cpuid() : response.get_emulated_cpuid(), room, entries,
                                count);
}

int reserve(crosvm* self, uint32_t space, uint64_t start, uint64_t length, bool async_write) {
  return guarded([&] {
    MainRequest request;
    MainResponse response;
    auto& range = *request.mutable_reserve_range();
    if (!mv::plugin::put_space(range, space)) return -EINVAL;
    range.set_start(start);
    range.set_length(length);
    range.set_async_write(async_write);
    return self->link.ask(request, MainRequest::kReserveRange, response);
  });
}

}  // namespace

int crosvm_connect(crosvm** out) {
  return guarded([&] {
    const int number = socket_from_environment();
    if (number < 0) return number;
    auto self = std::make_unique<crosvm>(crosvm{mv::plugin::MainLink(Fd(number)), std::make_shared<mv::plugin::Machine>()});
    fcntl(number, F_SETFD, FD_CLOEXEC);
    if (const int error = load_vcpus(*self)) return error;
    *out = self.release();
    return 0;
  });
}

int crosvm_new_connection(crosvm* self, crosvm** out) {
  return guarded([&] {
    MainRequest request;
    MainResponse response;
    Fd socket;
    request.mutable_new_connection();
    if (const int error = ask_fd(*self, request, MainRequest::kNewConnection, response, socket)) return error;
    *out = new crosvm{mv::plugin::MainLink(std::move(socket)), self->machine};
    return 0;
  });
}

int crosvm_destroy_connection(crosvm** self) {
  delete *self;
  *self = nullptr;
  return 0;
}

int crosvm_get_shutdown_eventfd(crosvm* self) {
  return guarded([&] {
    MainRequest request;
    MainResponse response;
    Fd event;
    request.mutable_get_shutdown_eventfd();
    if (const int error = ask_fd(*self, request, MainRequest::kGetShutdownEventfd, response, event)) return error;
    return give_away(event);
  });
}

int crosvm_check_extension(crosvm* self, uint32_t extension, bool* has_extension) {
  return guarded([&] {
    MainRequest request;
    MainResponse response;
    request.mutable_check_extension()->set_extension(extension);
    if (const int error = self->link.ask(request, MainRequest::kCheckExtension, response)) return error;
    *has_extension = response.check_extension().has_extension();
    return 0;
  });
}

int crosvm_enable_capability(crosvm*, uint32_t, uint32_t, uint64_t[4]) { return -EINVAL; }

int crosvm_get_supported_cpuid(crosvm* self, uint32_t room, kvm_cpuid_entry2* entries, uint32_t* count) {
  return guarded([&] {
    MainRequest request;
    request.mutable_get_supported_cpuid();
    return leaves(*self, request, MainRequest::kGetSupportedCpuid, room, entries, count);
  });
}

int crosvm_get_emulated_cpuid(crosvm* self, uint32_t room, kvm_cpuid_entry2* entries, uint32_t* count) {
  return guarded([&] {
    MainRequest request;
    request.mutable_get_emulated_cpuid();
    return leaves(*self, request, MainRequest::kGetEmulatedCpuid, room, entries, count);
  });
}

int crosvm_get_msr_index_list(crosvm* self, uint32_t room, uint32_t* indices, uint32_t* count) {
  return guarded([&] {
    *count = 0;
    MainRequest request;
    MainResponse response;
    request.mutable_get_msr_index_list();
    if (const int error = self->link.ask(request, MainRequest::kGetMsrIndexList, response)) return error;
    const auto& found = response.get_msr_index_list().indices();
    *count = static_cast<uint32_t>(found.size());
    if (*count > room) return -E2BIG;
    std::copy(found.begin(), found.end(), indices);
    return 0;
  });
}

int crosvm_net_get_config(crosvm* self, crosvm_net_config* config) {
  return guarded([&] {
    MainRequest request;
    MainResponse response;
    Fd tap;
    request.mutable_get_net_config();
    if (const int error = ask_fd(*self, request, MainRequest::kGetNetConfig, response, tap)) return error;
    const auto& net = response.get_net_config();
    if (net.host_mac_address().size() != sizeof(config->host_mac_address)) return -EPROTO;
    const int number = give_away(tap);
    if (number < 0) return number;
    std::memset(config, 0, sizeof(*config));
    config->tap_fd = number;
    config->host_ip = net.host_ipv4_address();
    config->netmask = net.netmask();
    std::memcpy(config->host_mac_address, net.host_mac_address().data(), sizeof(config->host_mac_address));
    return 0;
  });
}

int crosvm_reserve_range(crosvm* self, uint32_t space, uint64_t start, uint64_t length) { return reserve(self, space, start, length, false); }

int crosvm_reserve_async_write_range(crosvm* self, uint32_t space, uint64_t start, uint64_t length) { return reserve(self, space, start, length, true); }

int crosvm_pause_vcpus(crosvm* self, uint64_t cpu_mask, void* user) {
  return guarded([&] {
    MainRequest request;
    MainResponse response;
    request.mutable_pause_vcpus()->set_cpu_mask(cpu_mask);
    request.mutable_pause_vcpus()->set_user(reinterpret_cast<uintptr_t>(user));
    return self->link.ask(request, MainRequest::kPauseVcpus, response);
  });
}

int crosvm_start(crosvm* self) {
  return guarded([&] {
    MainRequest request;
    MainResponse response;
    request.mutable_start();
    return self->link.ask(request, MainRequest::kStart, response);
  });
}

int crosvm_get_vcpu(crosvm* self, uint32_t index, crosvm_vcpu** out) {
  if (index >= self->machine->vcpus.size()) return -ENOENT;
  *out = self->machine->vcpus[index].get();
  return 0;
}
