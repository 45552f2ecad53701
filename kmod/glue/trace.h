/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One tracepoint per word of the walk that happens in the kernel (serve is userspace's).  Events: mockvisor:mockvisor_exit,
 * _post, _deliver, _complete, _resume under /sys/kernel/tracing/events/mockvisor.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM mockvisor

#if !defined(MV_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define MV_TRACE_H

#include <linux/tracepoint.h>

#include "../core/exit.h"

DECLARE_EVENT_CLASS(mockvisor_walk,
	TP_PROTO(u32 vm, u32 vcpu, const struct hv_exit *exit),
	TP_ARGS(vm, vcpu, exit),
	TP_STRUCT__entry(
		__field(u32, vm)
		__field(u32, vcpu)
		__field(u64, cookie)
		__field(u64, address)
		__field(u64, data)
		__field(u8, space)
		__field(u8, size)
		__field(u8, direction)
	),
	TP_fast_assign(
		__entry->vm = vm;
		__entry->vcpu = vcpu;
		__entry->cookie = exit->cookie;
		__entry->address = exit->address;
		__entry->data = exit->data;
		__entry->space = exit->space;
		__entry->size = exit->size;
		__entry->direction = exit->direction;
	),
	TP_printk("vm=%u vcpu=%u cookie=%llu %s %s 0x%llx/%u data=0x%llx", __entry->vm, __entry->vcpu, __entry->cookie,
		  __entry->space == HV_SPACE_PIO ? "pio" : "mmio", __entry->direction ? "write" : "read",
		  __entry->address, __entry->size, __entry->data)
);

DEFINE_EVENT(mockvisor_walk, mockvisor_exit,
	TP_PROTO(u32 vm, u32 vcpu, const struct hv_exit *exit), TP_ARGS(vm, vcpu, exit));
DEFINE_EVENT(mockvisor_walk, mockvisor_post,
	TP_PROTO(u32 vm, u32 vcpu, const struct hv_exit *exit), TP_ARGS(vm, vcpu, exit));
DEFINE_EVENT(mockvisor_walk, mockvisor_deliver,
	TP_PROTO(u32 vm, u32 vcpu, const struct hv_exit *exit), TP_ARGS(vm, vcpu, exit));
DEFINE_EVENT(mockvisor_walk, mockvisor_complete,
	TP_PROTO(u32 vm, u32 vcpu, const struct hv_exit *exit), TP_ARGS(vm, vcpu, exit));
DEFINE_EVENT(mockvisor_walk, mockvisor_resume,
	TP_PROTO(u32 vm, u32 vcpu, const struct hv_exit *exit), TP_ARGS(vm, vcpu, exit));

#endif

#undef TRACE_INCLUDE_PATH
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_PATH glue
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
