// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Pretend power states: four frequencies, three sleep states.  See power.h. */
#include "power.h"

#define SPACE_IO 1
#define SPACE_FIXED 0x7f

/* frequency MHz, power mW, latencies us, values of the control and status registers (Intel's IA32_PERF_CTL) */
static const struct acrn_pstate_data px[] = {
	{ 2400, 15000, 10, 10, 0x1800, 0x1800 },
	{ 2000, 12000, 10, 10, 0x1400, 0x1400 },
	{ 1600, 9000, 10, 10, 0x1000, 0x1000 },
	{ 800, 4000, 10, 10, 0x0800, 0x0800 },
};

/* register, type, worst-case latency us, power mW: C1 is HLT, C2 and C3 are the usual I/O ports */
static const struct acrn_cstate_data cx[] = {
	{ { SPACE_FIXED, 1, 2, 1, 0 }, 1, 1, 0x3e8 },
	{ { SPACE_IO, 8, 0, 0, 0x415 }, 2, 0x40, 0x1f4 },
	{ { SPACE_IO, 8, 0, 0, 0x419 }, 3, 0x60, 0xfa },
};

size_t acrn_pm_size(u32 type)
{
	switch (type) {
	case ACRN_PMCMD_GET_PX_CNT:
	case ACRN_PMCMD_GET_CX_CNT:
		return sizeof(u64);
	case ACRN_PMCMD_GET_PX_DATA:
		return sizeof(struct acrn_pstate_data);
	case ACRN_PMCMD_GET_CX_DATA:
		return sizeof(struct acrn_cstate_data);
	default:
		return 0;
	}
}

int acrn_pm_ask(u64 word, union acrn_pm_answer *answer)
{
	u32 state = ACRN_PM_STATE(word);

	memset(answer, 0, sizeof(*answer));
	switch (ACRN_PM_TYPE(word)) {
	case ACRN_PMCMD_GET_PX_CNT:
		answer->count = ARRAY_SIZE(px);
		return 0;
	case ACRN_PMCMD_GET_PX_DATA:
		if (state >= ARRAY_SIZE(px))
			return -EPERM;
		answer->px = px[state];
		return 0;
	case ACRN_PMCMD_GET_CX_CNT:
		answer->count = ARRAY_SIZE(cx);
		return 0;
	case ACRN_PMCMD_GET_CX_DATA:
		if (!state || state > ARRAY_SIZE(cx))
			return -EPERM;
		answer->cx = cx[state - 1];
		return 0;
	default:
		return -EINVAL;
	}
}
