/* SPDX-License-Identifier: MIT */
/*
 * C interface between a plugin and the host that runs a virtual machine for it: API version 0.22.  Programs written for
 * 0.19 to 0.22 compile with this header; structures have kept their sizes throughout.
 *
 * The host starts the plugin with one socket, whose number is in the environment variable CROSVM_SOCKET.  The plugin gives
 * the machine its memory, says which ports and addresses it serves, starts the vCPUs, and answers their exits.
 *
 * Every function returns 0 (or a descriptor where it says so), or a negative errno value.  None raises SIGPIPE; when the
 * host is gone they return -EPIPE.  Linked with -lcrosvm_plugin; the reference is libcrosvm_plugin(3).
 */
#ifndef CROSVM_H
#define CROSVM_H

#include <linux/kvm.h>
#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CROSVM_API_MAJOR 0
#define CROSVM_API_MINOR 22
#define CROSVM_API_PATCH 0

enum crosvm_address_space {
  CROSVM_ADDRESS_SPACE_IOPORT = 0,
  CROSVM_ADDRESS_SPACE_MMIO = 1,
};

/* ---- Connections ---- */

/* One connection to the host.  Not thread-safe: a thread that wants to talk too makes itself a new one. */
struct crosvm;

/* -ENOTCONN: CROSVM_SOCKET is not set; -EINVAL: it is no descriptor's number.  Takes the descriptor over. */
int crosvm_connect(struct crosvm** out);
/* Another connection to the same machine; identifiers and vCPUs are common to both. */
int crosvm_new_connection(struct crosvm* self, struct crosvm** out);
/* Closes the connection and sets *self to NULL.  What it created stays.  The last one takes the vCPU handles along. */
int crosvm_destroy_connection(struct crosvm** self);
/* Returns an eventfd, the caller's, that becomes readable when the machine goes down; writing to it takes it down. */
int crosvm_get_shutdown_eventfd(struct crosvm* self);
/* Whether KVM_CHECK_EXTENSION of the host's machine gives exactly 1 for this KVM_CAP_*. */
int crosvm_check_extension(struct crosvm* self, uint32_t extension, bool* has_extension);
/* No capability of the machine can be enabled so far: always -EINVAL. */
int crosvm_enable_capability(struct crosvm* self, uint32_t capability, uint32_t flags, uint64_t args[4]);
/*
 * Leaves that the host can offer, or emulates.  *out_count is how many there are, also with -E2BIG (the buffer is too small
 * and nothing was stored); entry_count may be 0 to ask for that.
 */
int crosvm_get_supported_cpuid(struct crosvm* self, uint32_t entry_count, struct kvm_cpuid_entry2* entries, uint32_t* out_count);
int crosvm_get_emulated_cpuid(struct crosvm* self, uint32_t entry_count, struct kvm_cpuid_entry2* entries, uint32_t* out_count);
/* The same for numbers of MSRs that are worth saving. */
int crosvm_get_msr_index_list(struct crosvm* self, uint32_t entry_count, uint32_t* msr_indices, uint32_t* out_count);

/* ---- Network ---- */

struct crosvm_net_config {
  int tap_fd;           /* the caller's to close */
  uint32_t host_ip;     /* network byte order, as the next */
  uint32_t netmask;
  uint8_t host_mac_address[6];
  uint8_t _reserved[2];
};

/* The first TAP device the host was given; -ENODATA: none. */
int crosvm_net_get_config(struct crosvm* self, struct crosvm_net_config* config);

/* ---- Accesses that the plugin serves ---- */

/*
 * Accesses that begin in [start, start + length) stop their vCPU with CROSVM_VCPU_EVENT_KIND_IO_ACCESS.  Others read as 0
 * and write nothing.  Ranges of one space never overlap: -EPERM.  length 0 gives back the range with this start.
 */
int crosvm_reserve_range(struct crosvm* self, uint32_t space, uint64_t start, uint64_t length);
/* The same for writes only, and the vCPU does not wait: its event has no_resume set. */
int crosvm_reserve_async_write_range(struct crosvm* self, uint32_t space, uint64_t start, uint64_t length);

/* ---- Interrupts ---- */

/* Drives the line of a GSI. */
int crosvm_set_irq(struct crosvm* self, uint32_t irq_id, bool active);

enum crosvm_irq_route_kind {
  CROSVM_IRQ_ROUTE_IRQCHIP = 0,
  CROSVM_IRQ_ROUTE_MSI = 1,
};

struct crosvm_irq_route {
  uint32_t irq_id;
  uint32_t kind; /* enum crosvm_irq_route_kind */
  union {
    struct {
      uint32_t irqchip; /* 0, 1: the 8259 pair; 2: the I/O APIC */
      uint32_t pin;
    } irqchip;
    struct {
      uint64_t address;
      uint32_t data;
    } msi;
    uint8_t reserved[16];
  };
};

/* Takes the place of the whole table; with 0 routes no GSI leads anywhere. */
int crosvm_set_irq_routing(struct crosvm* self, uint32_t route_count, const struct crosvm_irq_route* routes);

/* ---- Registers sent along with an access ---- */

#define CROSVM_MAX_HINT_COUNT 1
#define CROSVM_MAX_HINT_DETAIL_COUNT 32
#define CROSVM_HINT_ON_WRITE 1

/* Fits when every register with its match_ set has the value given here; the first that fits counts. */
struct crosvm_hint_detail {
  bool match_rax;
  bool match_rbx;
  bool match_rcx;
  bool match_rdx;
  uint64_t rax;
  uint64_t rbx;
  uint64_t rcx;
  uint64_t rdx;
  bool send_sregs;
  bool send_debugregs;
};

struct crosvm_hint {
  uint32_t hint_version; /* 0 */
  uint32_t _reserved;    /* 0 */
  uint32_t address_space;
  uint16_t address_flags; /* 0: reads; CROSVM_HINT_ON_WRITE: writes */
  uint16_t details_count;
  uint64_t address; /* not 0 */
  const struct crosvm_hint_detail* details;
};

/*
 * Accesses at the hint's address come with the general registers, and with others if a detail fits: reading those then
 * needs no message.  hints_count is 0 (forget the hint) or 1.
 */
int crosvm_set_hypercall_hint(struct crosvm* self, uint32_t hints_count, const struct crosvm_hint* hints);

/* ---- State of the machine ---- */

int crosvm_get_pic_state(struct crosvm* self, bool primary, struct kvm_pic_state* state);
int crosvm_set_pic_state(struct crosvm* self, bool primary, const struct kvm_pic_state* state);
int crosvm_get_ioapic_state(struct crosvm* self, struct kvm_ioapic_state* state);
int crosvm_set_ioapic_state(struct crosvm* self, const struct kvm_ioapic_state* state);
int crosvm_get_pit_state(struct crosvm* self, struct kvm_pit_state2* state);
int crosvm_set_pit_state(struct crosvm* self, const struct kvm_pit_state2* state);
int crosvm_get_clock(struct crosvm* self, struct kvm_clock_data* clock);
int crosvm_set_clock(struct crosvm* self, const struct kvm_clock_data* clock);
/* Before crosvm_start(). */
int crosvm_set_identity_map_addr(struct crosvm* self, uint32_t address);

/* ---- Running ---- */

/*
 * vCPU n stops with CROSVM_VCPU_EVENT_KIND_PAUSED and this `user` if bit n is set; bits without a vCPU mean nothing.  Does not wait.
 * Several requests before the event are one, with the last `user`.  Before crosvm_start() nothing happens.
 */
int crosvm_pause_vcpus(struct crosvm* self, uint64_t cpu_mask, void* user);
/* Once: again gives -EINVAL. */
int crosvm_start(struct crosvm* self);

/* ---- Writes that become eventfd signals ---- */

struct crosvm_io;

/*
 * Guest writes of `length` bytes (1, 2, 4, 8) of the value *datamatch to `address` add one to an eventfd and stop nobody.
 * length 0: writes of any length and value; so it is with datamatch NULL, whatever the length, for the host cannot be asked
 * for any value of one width.
 */
int crosvm_create_io_event(struct crosvm* self, uint32_t space, uint64_t address, uint32_t length, const uint8_t* datamatch,
                           struct crosvm_io** out);
/* *io becomes NULL, or stays as it is on failure; the same for the other objects. */
int crosvm_destroy_io_event(struct crosvm* self, struct crosvm_io** io);
/* The object's eventfd, valid until it is destroyed. */
int crosvm_io_event_fd(struct crosvm_io* io);

/* ---- Memory ---- */

struct crosvm_memory;

/*
 * Maps `length` bytes of a memfd from `offset` (both multiples of 4096) to guest-physical `start`.  The memfd carries
 * F_SEAL_SHRINK (-EPERM), and stays the caller's.  Writes to read_only memory are MMIO.
 */
int crosvm_create_memory(struct crosvm* self, int fd, uint64_t offset, uint64_t length, uint64_t start, bool read_only, bool dirty_log,
                         struct crosvm_memory** out);
int crosvm_destroy_memory(struct crosvm* self, struct crosvm_memory** memory);
/* One bit a page, lowest first: those that the guest has written since the last call.  The buffer has (pages + 7) / 8 bytes. */
int crosvm_memory_get_dirty_log(struct crosvm* self, struct crosvm_memory* memory, uint8_t* log);

/* ---- Interrupts from an eventfd ---- */

struct crosvm_irq;

/* The line of irq_id rises with the trigger eventfd; when the guest has finished it falls, and the other one is signalled. */
int crosvm_create_irq_event(struct crosvm* self, uint32_t irq_id, struct crosvm_irq** out);
int crosvm_destroy_irq_event(struct crosvm* self, struct crosvm_irq** irq);
int crosvm_irq_event_get_fd(struct crosvm_irq* irq);
int crosvm_irq_event_get_resample_fd(struct crosvm_irq* irq);

/* ---- vCPUs: each one by one thread at a time ---- */

enum crosvm_vcpu_event_kind {
  CROSVM_VCPU_EVENT_KIND_INIT = 0, /* the first of every vCPU; no guest code runs before all were resumed from it */
  CROSVM_VCPU_EVENT_KIND_IO_ACCESS = 1,
  CROSVM_VCPU_EVENT_KIND_PAUSED = 2,
  CROSVM_VCPU_EVENT_KIND_HYPERV_HCALL = 3,
  CROSVM_VCPU_EVENT_KIND_HYPERV_SYNIC = 4,
};

struct crosvm_vcpu_event {
  uint32_t kind; /* enum crosvm_vcpu_event_kind */
  uint8_t _reserved[4];
  union {
    struct {
      uint32_t address_space;
      uint8_t _reserved[4];
      uint64_t address;
      /* `length` bytes of the library's, until the next resume or wait: what was written, or zeros to be filled for a read */
      uint8_t* data;
      uint32_t length;
      uint8_t is_write;
      uint8_t no_resume; /* the vCPU did not stop: wait again, without resume */
      uint8_t _reserved2[2];
    } io_access;
    void* user; /* of crosvm_pause_vcpus() */
    struct {
      uint64_t input;
      uint8_t* result; /* eight bytes, as io_access.data of a read */
      uint64_t params[2];
    } hyperv_call;
    struct {
      uint32_t msr;
      uint32_t reserved;
      uint64_t control;
      uint64_t evt_page;
      uint64_t msg_page;
    } hyperv_synic;
    uint8_t _union_reserved[64];
  };
};

struct crosvm_vcpu;

/* The same handle from every connection; -ENOENT: there is no such vCPU. */
int crosvm_get_vcpu(struct crosvm* self, uint32_t index, struct crosvm_vcpu** out);
/*
 * Sleeps until the vCPU stops (before crosvm_start(): until then).  If values given to the three functions marked "deferred"
 * were refused when the vCPU was resumed, this returns the error, and the vCPU is still stopped where it was.
 */
int crosvm_vcpu_wait(struct crosvm_vcpu* self, struct crosvm_vcpu_event* event);
int crosvm_vcpu_resume(struct crosvm_vcpu* self);

/* Everything from here on: only between an event and its resume, else -EPROTO.  Deferred: set with the next resume. */
int crosvm_vcpu_get_regs(struct crosvm_vcpu* self, struct kvm_regs* regs);
int crosvm_vcpu_set_regs(struct crosvm_vcpu* self, const struct kvm_regs* regs); /* deferred */
int crosvm_vcpu_get_sregs(struct crosvm_vcpu* self, struct kvm_sregs* sregs);
int crosvm_vcpu_set_sregs(struct crosvm_vcpu* self, const struct kvm_sregs* sregs); /* deferred */
int crosvm_vcpu_get_fpu(struct crosvm_vcpu* self, struct kvm_fpu* fpu);
int crosvm_vcpu_set_fpu(struct crosvm_vcpu* self, const struct kvm_fpu* fpu);
int crosvm_vcpu_get_debugregs(struct crosvm_vcpu* self, struct kvm_debugregs* debugregs);
int crosvm_vcpu_set_debugregs(struct crosvm_vcpu* self, const struct kvm_debugregs* debugregs); /* deferred */
int crosvm_vcpu_get_xcrs(struct crosvm_vcpu* self, struct kvm_xcrs* xcrs);
int crosvm_vcpu_set_xcrs(struct crosvm_vcpu* self, const struct kvm_xcrs* xcrs);
/* Reads the data of entries whose index is filled in; *out_count is how many were read before one that does not exist. */
int crosvm_vcpu_get_msrs(struct crosvm_vcpu* self, uint32_t msr_count, struct kvm_msr_entry* entries, uint32_t* out_count);
/* Success even if one in the middle does not exist; it and those behind it are not set then. */
int crosvm_vcpu_set_msrs(struct crosvm_vcpu* self, uint32_t msr_count, const struct kvm_msr_entry* entries);
int crosvm_vcpu_set_cpuid(struct crosvm_vcpu* self, uint32_t cpuid_count, const struct kvm_cpuid_entry2* entries);
int crosvm_vcpu_get_hyperv_cpuid(struct crosvm_vcpu* self, uint32_t entry_count, struct kvm_cpuid_entry2* entries, uint32_t* out_count);
/* flags and args are 0: else -EINVAL. */
int crosvm_vcpu_enable_capability(struct crosvm_vcpu* self, uint32_t capability, uint32_t flags, uint64_t args[4]);
int crosvm_vcpu_get_lapic_state(struct crosvm_vcpu* self, struct kvm_lapic_state* state);
int crosvm_vcpu_set_lapic_state(struct crosvm_vcpu* self, const struct kvm_lapic_state* state);
int crosvm_vcpu_get_mp_state(struct crosvm_vcpu* self, struct kvm_mp_state* state);
int crosvm_vcpu_set_mp_state(struct crosvm_vcpu* self, const struct kvm_mp_state* state);
int crosvm_vcpu_get_vcpu_events(struct crosvm_vcpu* self, struct kvm_vcpu_events* events);
int crosvm_vcpu_set_vcpu_events(struct crosvm_vcpu* self, const struct kvm_vcpu_events* events);

#ifdef __cplusplus
}
#endif

#endif
