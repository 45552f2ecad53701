// SPDX-License-Identifier: MIT
#include "vmm/machine/virtio_plan.h"

#include <sys/random.h>

#include "vmm/virtio/virtio_rng.h"

namespace mv {

namespace {

// It is called with the devices' lock held and must not wait: early in a host's life getrandom() would, until the pool is
// ready.  GRND_INSECURE gives what /dev/urandom gives then.
bool random_bytes(std::span<std::byte> to) {
  while (!to.empty()) {
    const ssize_t n = ::getrandom(to.data(), to.size(), GRND_INSECURE);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    to = to.subspan(static_cast<size_t>(n));
  }
  return true;
}

// The eventfd and who listens to it: the listener goes first.
struct RingingDoorbell {
  std::unique_ptr<Doorbell> doorbell;
  DeviceLoop::Watch watch;
};

}  // namespace

void VirtioDevices::build(const VirtioPlan& plan, const Plug& plug) {
  for (size_t i = 0; i < plan.disks.size(); ++i) {
    plug(world_of(file_loops_.emplace_back()), std::make_unique<VirtioBlk>(plan.disks[i], "mockvisor-disk" + std::to_string(i)));
  }
  if (plan.console) {
    auto console = std::make_unique<VirtioConsole>(plan.console);
    console_ = console.get();
    plug(world_of(world_.loop), std::move(console));
  }
  if (plan.rng) plug(world_of(world_.loop), std::make_unique<VirtioRng>(random_bytes));
}

VirtioWorld VirtioDevices::world_of(DeviceLoop& loop) {
  return {.ram = GuestRam(world_.backend.memory(), world_.backend.memory_gpa()),
          .restricted = world_.backend.memory_gpa() != world_.backend.memory_base(),
          .devices = world_.devices,
          .post = [&loop](std::function<void()> job) { loop.post(std::move(job)); },
          .route = [this](uint64_t address, uint32_t data) { return world_.backend.message_route(address, data); },
          .doorbell = [this, &loop](uint64_t gpa, std::function<void()> rung) -> std::shared_ptr<void> {
            auto bell = world_.backend.doorbell(gpa, notification_);
            if (!bell) return nullptr;
            const int fd = bell->eventfd();
            return std::shared_ptr<void>(new RingingDoorbell{std::move(bell), DeviceLoop::Watch(loop, fd, std::move(rung))},
                                         [](void* p) { delete static_cast<RingingDoorbell*>(p); });
          }};
}

void VirtioDevices::stop() {
  for (DeviceLoop& l : file_loops_) l.stop();
}

}  // namespace mv
