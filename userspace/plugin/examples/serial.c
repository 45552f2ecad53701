// SPDX-License-Identifier: MIT
// A plugin that is a whole, very small computer: 64 KiB of memory, one vCPU in real mode, a serial port at 3F8h.  The guest
// prints its greeting, asks for the port's line status before each character, and turns the machine off at port 600h.
//
// usage: mvmm --plugin .../plugin_serial [--plugin-arg TEXT]
#define _GNU_SOURCE
#include <crosvm.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MEMORY_BYTES 0x10000
#define ENTRY 0x1000
#define TEXT 0x2000
#define SERIAL 0x3f8
#define SERIAL_PORTS 8
#define LINE_STATUS 5
#define TRANSMITTER_EMPTY 0x60
#define POWER 0x600

// clang-format off
static const unsigned char guest[] = {
  0xbe, 0x00, 0x20,        //       mov si, TEXT
  0xba, 0xfd, 0x03,        // next: mov dx, SERIAL + LINE_STATUS
  0xec,                    // wait: in al, dx
  0xa8, 0x20,              //       test al, 20h
  0x74, 0xfb,              //       jz wait
  0xac,                    //       lodsb
  0x84, 0xc0,              //       test al, al
  0x74, 0x06,              //       jz off
  0xba, 0xf8, 0x03,        //       mov dx, SERIAL
  0xee,                    //       out dx, al
  0xeb, 0xed,              //       jmp next
  0xba, 0x00, 0x06,        // off:  mov dx, POWER
  0xee,                    //       out dx, al
  0xf4,                    //       hlt
};
// clang-format on

static int fail(const char *what, int error)
{
  fprintf(stderr, "plugin_serial: %s: %s\n", what, strerror(-error));
  return 1;
}

// Memory that the host accepts: sealed, so that it cannot become smaller behind the host's back.
static int make_memory(const char *text)
{
  int fd = memfd_create("guest memory", MFD_ALLOW_SEALING | MFD_CLOEXEC);

  if (fd < 0 || ftruncate(fd, MEMORY_BYTES) || fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK))
    return -errno;
  if (pwrite(fd, guest, sizeof(guest), ENTRY) < 0 || pwrite(fd, text, strlen(text) + 1, TEXT) < 0)
    return -errno;
  return fd;
}

// Real mode at 0:ENTRY; what KVM starts with is the reset vector.
static int set_start(struct crosvm_vcpu *vcpu)
{
  struct kvm_sregs sregs;
  struct kvm_regs regs;
  int r = crosvm_vcpu_get_sregs(vcpu, &sregs);

  if (r)
    return r;
  sregs.cs.base = 0;
  sregs.cs.selector = 0;
  r = crosvm_vcpu_set_sregs(vcpu, &sregs);
  if (r)
    return r;
  memset(&regs, 0, sizeof(regs));
  regs.rip = ENTRY;
  regs.rflags = 2;
  return crosvm_vcpu_set_regs(vcpu, &regs);
}

// 1: the machine is off.
static int serve(const struct crosvm_vcpu_event *event)
{
  uint64_t port = event->io_access.address;

  if (port == POWER)
    return 1;
  if (event->io_access.is_write) {
    if (port == SERIAL)
      putchar(event->io_access.data[0]);
  } else if (port == SERIAL + LINE_STATUS) {
    event->io_access.data[0] = TRANSMITTER_EMPTY;
  }
  return 0;
}

static int run(struct crosvm_vcpu *vcpu)
{
  struct crosvm_vcpu_event event;
  int r;

  for (;;) {
    r = crosvm_vcpu_wait(vcpu, &event);
    if (r)
      return fail("wait", r);
    if (event.kind == CROSVM_VCPU_EVENT_KIND_INIT) {
      r = set_start(vcpu);
      if (r)
        return fail("registers", r);
    } else if (event.kind == CROSVM_VCPU_EVENT_KIND_IO_ACCESS && serve(&event)) {
      return 0;
    }
    r = crosvm_vcpu_resume(vcpu);
    if (r)
      return fail("resume", r);
  }
}

int main(int argc, char **argv)
{
  struct crosvm *vm;
  struct crosvm_memory *memory;
  struct crosvm_vcpu *vcpu;
  int fd, r = crosvm_connect(&vm);

  if (r)
    return fail("this program is started by mvmm --plugin: connect", r);
  fd = make_memory(argc > 1 ? argv[1] : "Hello from a plugin's machine.\n");
  if (fd < 0)
    return fail("memory", fd);
  if ((r = crosvm_create_memory(vm, fd, 0, MEMORY_BYTES, 0, false, false, &memory)) ||
      (r = crosvm_reserve_range(vm, CROSVM_ADDRESS_SPACE_IOPORT, SERIAL, SERIAL_PORTS)) ||
      (r = crosvm_reserve_range(vm, CROSVM_ADDRESS_SPACE_IOPORT, POWER, 1)) || (r = crosvm_get_vcpu(vm, 0, &vcpu)) || (r = crosvm_start(vm)))
    return fail("set-up", r);
  r = run(vcpu);
  crosvm_destroy_connection(&vm);
  return r;
}
