// SPDX-License-Identifier: MIT
#include "plugin/host/main_session.h"

#include <fcntl.h>
#include <sys/eventfd.h>

#include <mutex>
#include <new>
#include <system_error>

namespace mv::plugin {

using wire::MainRequest;
using wire::MainResponse;

void put_cpuid(const std::vector<kvm_cpuid_entry2>& from, wire::CpuidList& to) {
  for (const kvm_cpuid_entry2& e : from) {
    wire::CpuidEntry& entry = *to.add_entries();
    entry.set_function(e.function);
    entry.set_has_index(e.flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX);
    entry.set_index(e.index);
    entry.set_eax(e.eax);
    entry.set_ebx(e.ebx);
    entry.set_ecx(e.ecx);
    entry.set_edx(e.edx);
  }
}

MainSession::~MainSession() {
  while (!objects_.empty()) destroy(objects_.begin()->first);
}

bool MainSession::serve(std::string_view packet, std::vector<Fd> fds, MainReply& reply) {
  MainRequest request;
  MainResponse response;
  if (!request.ParseFromArray(packet.data(), static_cast<int>(packet.size()))) return false;
  int error;
  try {
    error = answer(request, fds, response, reply);
  } catch (const std::system_error& e) {  // descriptors have run out, and the like: the request's error, not the host's
    error = -e.code().value();
  } catch (const std::bad_alloc&) {
    error = -ENOMEM;
  } catch (const std::exception&) {
    error = -EIO;
  }
  if (error) {
    response.set_error(-error);
    reply.fds.clear();
    reply.closed.clear();
  }
  reply.bytes = response.SerializeAsString();
  return true;
}

// Each case also says which member the response has, with an error as without.
int MainSession::answer(const MainRequest& r, std::vector<Fd>& fds, MainResponse& out, MainReply& reply) {
  std::vector<kvm_cpuid_entry2> leaves;
  int error;
  switch (r.message_case()) {
    case MainRequest::kCreate:
      out.mutable_create();
      return create(r.create(), fds, reply);
    case MainRequest::kDestroy:
      out.mutable_destroy();
      return destroy(r.destroy().id());
    case MainRequest::kNewConnection:
      out.mutable_new_connection();
      if ((error = actions_.new_connection()) < 0) return error;
      reply.closed.emplace_back(error);
      reply.fds.push_back(error);
      return 0;
    case MainRequest::kGetShutdownEventfd:
      out.mutable_get_shutdown_eventfd();
      reply.fds.push_back(actions_.shutdown_eventfd());
      return 0;
    case MainRequest::kCheckExtension:
      out.mutable_check_extension()->set_has_extension(machine_.check_extension(r.check_extension().extension()));
      return 0;
    case MainRequest::kGetSupportedCpuid:
      error = machine_.supported_cpuid(leaves);
      put_cpuid(leaves, *out.mutable_get_supported_cpuid());
      return error;
    case MainRequest::kGetEmulatedCpuid:
      error = machine_.emulated_cpuid(leaves);
      put_cpuid(leaves, *out.mutable_get_emulated_cpuid());
      return error;
    case MainRequest::kGetMsrIndexList: {
      std::vector<uint32_t> indices;
      error = machine_.msr_index_list(indices);
      out.mutable_get_msr_index_list()->mutable_indices()->Add(indices.begin(), indices.end());
      return error;
    }
    case MainRequest::kGetNetConfig:
      return net_config(*out.mutable_get_net_config(), reply);
    case MainRequest::kReserveRange:
      out.mutable_reserve_range();
      return reserve(r.reserve_range());
    case MainRequest::kSetIrq:
      out.mutable_set_irq();
      return machine_.irq_line(r.set_irq().irq_id(), r.set_irq().active());
    case MainRequest::kSetIrqRouting:
      out.mutable_set_irq_routing();
      return set_routes(r.set_irq_routing());
    case MainRequest::kGetState:
      return get_state(r.get_state().set(), *out.mutable_get_state()->mutable_state());
    case MainRequest::kSetState:
      out.mutable_set_state();
      return set_state(r.set_state().set(), r.set_state().state());
    case MainRequest::kSetIdentityMapAddress:
      out.mutable_set_identity_map_address();
      return started_ ? -EINVAL : machine_.set_identity_map_address(r.set_identity_map_address().address());
    case MainRequest::kPauseVcpus:
      out.mutable_pause_vcpus();
      actions_.pause(r.pause_vcpus().cpu_mask(), r.pause_vcpus().user());
      return 0;
    case MainRequest::kGetVcpus:
      out.mutable_get_vcpus();
      reply.fds = actions_.vcpu_fds();
      return 0;
    case MainRequest::kStart:
      out.mutable_start();
      return start();
    case MainRequest::kSetCallHint:
      out.mutable_set_call_hint();
      return set_hint(r.set_call_hint());
    case MainRequest::kDirtyLog:
      return dirty_log(r.dirty_log().id(), *out.mutable_dirty_log()->mutable_bitmap());
    default:
      return -ENOTTY;
  }
}

int MainSession::net_config(wire::MainResponse::NetConfig& out, MainReply& reply) const {
  if (!actions_.tap) return -ENODATA;
  NetConfig config;
  if (const int error = actions_.tap->config(config)) return error;
  out.set_host_mac_address(config.mac.data(), config.mac.size());
  out.set_host_ipv4_address(config.address);
  out.set_netmask(config.netmask);
  reply.fds.push_back(actions_.tap->fd());
  return 0;
}

int MainSession::start() {
  if (started_) return -EINVAL;
  started_ = true;
  actions_.start();
  return 0;
}

int MainSession::create(const MainRequest::Create& c, std::vector<Fd>& fds, MainReply& reply) {
  if (objects_.contains(c.id())) return -EEXIST;
  Object object;
  int error = -ENOTTY;
  if (c.has_io_event()) error = create_io_event(c.id(), c.io_event(), object, reply);
  if (c.has_memory()) error = create_memory(c.id(), c.memory(), fds, object);
  if (c.has_irq_event()) error = create_irq_event(c.id(), c.irq_event(), object, reply);
  if (!error) objects_.emplace(c.id(), std::move(object));
  return error;
}

int MainSession::create_io_event(uint32_t id, const MainRequest::Create::IoEvent& spec, Object& object, MainReply& reply) {
  const uint32_t length = spec.length();
  if (!wire::Space_IsValid(spec.space())) return -EINVAL;
  if (length != 0 && length != 1 && length != 2 && length != 4 && length != 8) return -EINVAL;
  if (spec.address() + length < spec.address()) return -EINVAL;
  object.kind = Object::io_event;
  object.first = Fd(eventfd(0, EFD_CLOEXEC));  // a plugin that reads it waits
  if (!object.first) return -errno;
  const uint64_t value = length && length < 8 ? spec.datamatch() & ((uint64_t{1} << (8 * length)) - 1) : spec.datamatch();
  const Space space = spec.space() == wire::MMIO ? Space::mmio : Space::ioport;
  reply.fds = {object.first.get()};
  return machine_.add_io_event(id, {space, spec.address(), length, value}, object.first.get());
}

// A plugin that could shrink the file would take the host down with it, so the seal is asked for; how long the file is counts from then on.
int MainSession::create_memory(uint32_t id, const MainRequest::Create::Memory& spec, std::vector<Fd>& fds, Object& object) {
  if (fds.empty()) return -EBADF;
  const int fd = fds.front().get();
  if (lseek(fd, 0, SEEK_END) < 0) return -errno;
  const int seals = fcntl(fd, F_GET_SEALS);
  if (seals < 0) return -errno;
  if (!(seals & F_SEAL_SHRINK)) return -EPERM;
  const off_t size = lseek(fd, 0, SEEK_END);
  if (size < 0) return -errno;
  const uint64_t end = spec.offset() + spec.length();
  if (end < spec.offset() || spec.start() + spec.length() < spec.start()) return -EOVERFLOW;
  if (end > static_cast<uint64_t>(size)) return -EINVAL;
  if (!spec.length() || spec.offset() % 4096 || spec.length() % 4096 || spec.start() % 4096) return -EINVAL;
  object.mapping = Mapping(spec.length(), PROT_READ | PROT_WRITE, MAP_SHARED, fd, spec.offset(), "the plugin's memory");
  object.kind = Object::memory;
  object.length = spec.length();
  return machine_.add_memory(id, spec.start(), {object.mapping.as<std::byte>(), spec.length()}, spec.read_only(), spec.dirty_log());
}

int MainSession::create_irq_event(uint32_t id, const MainRequest::Create::IrqEvent& spec, Object& object, MainReply& reply) {
  object.kind = Object::irq_event;
  object.first = Fd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));  // the host reads it, and must not wait for what the plugin took back
  object.second = Fd(eventfd(0, EFD_CLOEXEC));
  if (!object.first || !object.second) return -errno;
  reply.fds = {object.first.get(), object.second.get()};
  return machine_.add_irq_event(id, spec.irq_id(), object.first.get(), object.second.get());
}

int MainSession::destroy(uint32_t id) {
  auto node = objects_.extract(id);
  if (node.empty()) return -ENOENT;
  switch (node.mapped().kind) {
    case Object::io_event:
      return machine_.remove_io_event(id);
    case Object::irq_event:
      return machine_.remove_irq_event(id);
    default:
      return machine_.remove_memory(id);
  }
}

int MainSession::reserve(const MainRequest::ReserveRange& range) {
  if (!wire::Space_IsValid(range.space())) return -EINVAL;
  std::unique_lock lock(shared_.mutex);
  const Space space = range.space() == wire::MMIO ? Space::mmio : Space::ioport;
  return shared_.ranges.reserve(space, range.start(), range.length(), range.async_write());
}

int MainSession::set_routes(const MainRequest::SetIrqRouting& table) {
  std::vector<kvm_irq_routing_entry> routes;
  for (const auto& r : table.routes()) {
    kvm_irq_routing_entry entry = {};
    entry.gsi = r.irq_id();
    if (r.has_irqchip()) {
      entry.type = KVM_IRQ_ROUTING_IRQCHIP;
      entry.u.irqchip.irqchip = r.irqchip().irqchip();
      entry.u.irqchip.pin = r.irqchip().pin();
    } else if (r.has_msi()) {
      entry.type = KVM_IRQ_ROUTING_MSI;
      entry.u.msi.address_lo = static_cast<uint32_t>(r.msi().address());
      entry.u.msi.address_hi = static_cast<uint32_t>(r.msi().address() >> 32);
      entry.u.msi.data = r.msi().data();
    } else {
      return -EINVAL;
    }
    routes.push_back(entry);
  }
  return machine_.set_routes(routes);
}

int MainSession::set_hint(const MainRequest::SetCallHint& from) {
  if (!wire::Space_IsValid(from.space())) return -EINVAL;
  Hint hint{from.space() == wire::MMIO ? Space::mmio : Space::ioport, from.address(), from.on_write(), {}};
  for (const auto& d : from.hints()) {
    hint.details.push_back({{d.match_rax(), d.match_rbx(), d.match_rcx(), d.match_rdx()},
                            {d.rax(), d.rbx(), d.rcx(), d.rdx()},
                            d.send_sregs(),
                            d.send_debugregs()});
  }
  std::unique_lock lock(shared_.mutex);
  shared_.hint.reset();
  if (hint.address) shared_.hint = std::move(hint);
  return 0;
}

int MainSession::get_state(int set, std::string& state) {
  if (!MainRequest::State_IsValid(set)) return -EINVAL;
  const auto which = static_cast<MachineState>(set);
  std::string bytes(state_size(which), '\0');
  const int error = machine_.get_state(which, std::as_writable_bytes(std::span(bytes)));
  if (!error) state = std::move(bytes);
  return error;
}

int MainSession::set_state(int set, const std::string& state) {
  if (!MainRequest::State_IsValid(set)) return -EINVAL;
  const auto which = static_cast<MachineState>(set);
  if (state.size() != state_size(which)) return -EINVAL;
  return machine_.set_state(which, std::as_bytes(std::span(state)));
}

int MainSession::dirty_log(uint32_t id, std::string& bitmap) {
  const auto at = objects_.find(id);
  if (at == objects_.end() || at->second.kind != Object::memory) return -ENOENT;
  return machine_.dirty_log(id, bitmap);
}

}  // namespace mv::plugin
