// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Names for everything that a log line, a test failure or the timeline prints.  Unknown numbers get "?". */
#include "exit.h"

#define NAME(table, n) ((n) < ARRAY_SIZE(table) ? (table)[n] : "?")

const char *hv_word_name(unsigned int word)
{
	static const char *const names[] = { "step", "exit", "post", "deliver", "serve", "complete", "resume" };

	return NAME(names, word);
}

const char *hv_exit_kind_name(unsigned int kind)
{
	static const char *const names[] = { "none", "access", "budget", "kick", "idle", "shutdown", "call", "page", "arena", "pause" };

	return NAME(names, kind);
}

const char *hv_space_name(unsigned int space)
{
	static const char *const names[] = { "pio", "mmio", "config" };

	return NAME(names, space);
}

const char *hv_direction_name(unsigned int direction)
{
	static const char *const names[] = { "read", "write" };

	return NAME(names, direction);
}
