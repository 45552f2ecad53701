// SPDX-License-Identifier: MIT
// Objects with an identifier: I/O events, memory, interrupt events.
#include <cstring>

#include "plugin/client/handles.h"
#include "plugin/client/spaces.h"

using mv::Fd;
using mv::plugin::guarded;
using mv::wire::MainRequest;
using mv::wire::MainResponse;

namespace {

constexpr uint64_t kPage = 4096;

// An identifier that goes back if nothing comes of it and nobody took one since.
class Id {
 public:
  explicit Id(crosvm& self) : counter_(self.machine->next_id), id_(counter_++) {}
  ~Id() {
    uint32_t expected = id_ + 1;
    if (!kept_) counter_.compare_exchange_strong(expected, id_);
  }
  uint32_t value() const { return id_; }
  uint32_t keep() {
    kept_ = true;
    return id_;
  }

 private:
  std::atomic<uint32_t>& counter_;
  uint32_t id_;
  bool kept_ = false;
};

int create(crosvm& self, const MainRequest& request, std::span<const int> sent, size_t fds_wanted, std::vector<Fd>& fds) {
  MainResponse response;
  if (const int error = self.link.ask(request, MainRequest::kCreate, response, sent, &fds)) return error;
  return fds.size() == fds_wanted ? 0 : -EPROTO;
}

template <typename Object>
int destroy(crosvm* self, Object** object) {
  return guarded([&] {
    MainRequest request;
    MainResponse response;
    request.mutable_destroy()->set_id((*object)->id);
    if (const int error = self->link.ask(request, MainRequest::kDestroy, response)) return error;
    delete *object;
    *object = nullptr;
    return 0;
  });
}

bool is_width(uint32_t length) { return length == 1 || length == 2 || length == 4 || length == 8; }

uint64_t value_at(const uint8_t* bytes, uint32_t length) {
  uint64_t value = 0;
  std::memcpy(&value, bytes, length);
  return value;
}

}  // namespace

int crosvm_create_io_event(crosvm* self, uint32_t space, uint64_t address, uint32_t length, const uint8_t* datamatch, crosvm_io** out) {
  return guarded([&] {
    if (length && !is_width(length)) return -EINVAL;
    Id id(*self);
    MainRequest request;
    request.mutable_create()->set_id(id.value());
    auto& event = *request.mutable_create()->mutable_io_event();
    if (!mv::plugin::put_space(event, space)) return -EINVAL;
    event.set_address(address);
    if (length && datamatch) {
      event.set_length(length);
      event.set_datamatch(value_at(datamatch, length));
    }
    auto object = std::make_unique<crosvm_io>();
    std::vector<Fd> fds;
    if (const int error = create(*self, request, {}, 1, fds)) return error;
    object->id = id.keep();
    object->event = std::move(fds[0]);
    *out = object.release();
    return 0;
  });
}

int crosvm_destroy_io_event(crosvm* self, crosvm_io** io) { return destroy(self, io); }

int crosvm_io_event_fd(crosvm_io* io) { return io->event.get(); }

int crosvm_create_memory(crosvm* self, int fd, uint64_t offset, uint64_t length, uint64_t start, bool read_only, bool dirty_log, crosvm_memory** out) {
  return guarded([&] {
    if (offset % kPage || length % kPage) return -EINVAL;
    Id id(*self);
    MainRequest request;
    request.mutable_create()->set_id(id.value());
    auto& memory = *request.mutable_create()->mutable_memory();
    memory.set_offset(offset);
    memory.set_start(start);
    memory.set_length(length);
    memory.set_read_only(read_only);
    memory.set_dirty_log(dirty_log);
    auto object = std::make_unique<crosvm_memory>(crosvm_memory{0, length});
    std::vector<Fd> fds;
    if (const int error = create(*self, request, {&fd, 1}, 0, fds)) return error;
    object->id = id.keep();
    *out = object.release();
    return 0;
  });
}

int crosvm_destroy_memory(crosvm* self, crosvm_memory** memory) { return destroy(self, memory); }

int crosvm_memory_get_dirty_log(crosvm* self, crosvm_memory* memory, uint8_t* log) {
  return guarded([&] {
    MainRequest request;
    MainResponse response;
    request.mutable_dirty_log()->set_id(memory->id);
    if (const int error = self->link.ask(request, MainRequest::kDirtyLog, response)) return error;
    const std::string& bitmap = response.dirty_log().bitmap();
    const uint64_t pages = memory->length / kPage;
    if (bitmap.size() != (pages + 7) / 8) return -EPROTO;
    std::memcpy(log, bitmap.data(), bitmap.size());
    return 0;
  });
}

int crosvm_create_irq_event(crosvm* self, uint32_t irq_id, crosvm_irq** out) {
  return guarded([&] {
    Id id(*self);
    MainRequest request;
    request.mutable_create()->set_id(id.value());
    auto& event = *request.mutable_create()->mutable_irq_event();
    event.set_irq_id(irq_id);
    event.set_resample(true);
    auto object = std::make_unique<crosvm_irq>();
    std::vector<Fd> fds;
    if (const int error = create(*self, request, {}, 2, fds)) return error;
    object->id = id.keep();
    object->trigger = std::move(fds[0]);
    object->resample = std::move(fds[1]);
    *out = object.release();
    return 0;
  });
}

int crosvm_destroy_irq_event(crosvm* self, crosvm_irq** irq) { return destroy(self, irq); }

int crosvm_irq_event_get_fd(crosvm_irq* irq) { return irq->trigger.get(); }

int crosvm_irq_event_get_resample_fd(crosvm_irq* irq) { return irq->resample.get(); }
