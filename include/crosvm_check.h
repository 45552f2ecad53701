/* SPDX-License-Identifier: MIT */
/*
 * Proof at compile time, in C and in C++, that crosvm.h describes the ABI: sizes and offsets on x86-64.  The numbers were
 * computed from the ABI, not from that header.
 */
#ifndef CROSVM_CHECK_H
#define CROSVM_CHECK_H

#include <crosvm.h>
#include <stddef.h>

#ifdef __cplusplus
#define CROSVM_ASSERT(c) static_assert(c, #c)
#else
#define CROSVM_ASSERT(c) _Static_assert(c, #c)
#endif
#define CROSVM_AT(type, field, offset) CROSVM_ASSERT(offsetof(struct type, field) == (offset))
#define CROSVM_SIZE(type, size) CROSVM_ASSERT(sizeof(struct type) == (size))

CROSVM_SIZE(crosvm_net_config, 20);
CROSVM_AT(crosvm_net_config, host_ip, 4);
CROSVM_AT(crosvm_net_config, netmask, 8);
CROSVM_AT(crosvm_net_config, host_mac_address, 12);

CROSVM_SIZE(crosvm_irq_route, 24);
CROSVM_AT(crosvm_irq_route, kind, 4);
CROSVM_AT(crosvm_irq_route, irqchip.irqchip, 8);
CROSVM_AT(crosvm_irq_route, irqchip.pin, 12);
CROSVM_AT(crosvm_irq_route, msi.address, 8);
CROSVM_AT(crosvm_irq_route, msi.data, 16);

CROSVM_SIZE(crosvm_hint, 32);
CROSVM_AT(crosvm_hint, address_space, 8);
CROSVM_AT(crosvm_hint, address_flags, 12);
CROSVM_AT(crosvm_hint, details_count, 14);
CROSVM_AT(crosvm_hint, address, 16);
CROSVM_AT(crosvm_hint, details, 24);

CROSVM_SIZE(crosvm_hint_detail, 48);
CROSVM_AT(crosvm_hint_detail, match_rdx, 3);
CROSVM_AT(crosvm_hint_detail, rax, 8);
CROSVM_AT(crosvm_hint_detail, rdx, 32);
CROSVM_AT(crosvm_hint_detail, send_sregs, 40);
CROSVM_AT(crosvm_hint_detail, send_debugregs, 41);

CROSVM_SIZE(crosvm_vcpu_event, 72);
CROSVM_AT(crosvm_vcpu_event, io_access.address_space, 8);
CROSVM_AT(crosvm_vcpu_event, io_access.address, 16);
CROSVM_AT(crosvm_vcpu_event, io_access.data, 24);
CROSVM_AT(crosvm_vcpu_event, io_access.length, 32);
CROSVM_AT(crosvm_vcpu_event, io_access.is_write, 36);
CROSVM_AT(crosvm_vcpu_event, io_access.no_resume, 37);
CROSVM_AT(crosvm_vcpu_event, user, 8);
CROSVM_AT(crosvm_vcpu_event, hyperv_call.input, 8);
CROSVM_AT(crosvm_vcpu_event, hyperv_call.result, 16);
CROSVM_AT(crosvm_vcpu_event, hyperv_call.params, 24);
CROSVM_AT(crosvm_vcpu_event, hyperv_synic.msr, 8);
CROSVM_AT(crosvm_vcpu_event, hyperv_synic.control, 16);
CROSVM_AT(crosvm_vcpu_event, hyperv_synic.evt_page, 24);
CROSVM_AT(crosvm_vcpu_event, hyperv_synic.msg_page, 32);

/* what the state functions pass through as bytes */
CROSVM_SIZE(kvm_regs, 144);
CROSVM_SIZE(kvm_sregs, 312);
CROSVM_SIZE(kvm_fpu, 416);
CROSVM_SIZE(kvm_debugregs, 128);
CROSVM_SIZE(kvm_xcrs, 392);
CROSVM_SIZE(kvm_lapic_state, 1024);
CROSVM_SIZE(kvm_mp_state, 4);
CROSVM_SIZE(kvm_vcpu_events, 64);
CROSVM_SIZE(kvm_pic_state, 16);
CROSVM_SIZE(kvm_ioapic_state, 216);
CROSVM_SIZE(kvm_pit_state2, 112);
CROSVM_SIZE(kvm_clock_data, 48);
CROSVM_SIZE(kvm_cpuid_entry2, 40);
CROSVM_SIZE(kvm_msr_entry, 16);

#endif
