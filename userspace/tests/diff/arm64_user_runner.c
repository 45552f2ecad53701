// SPDX-License-Identifier: MIT
/*
 * Runs under qemu-aarch64: reads batches from its input, executes their cases and writes how each ended (arm64_user.h).
 *
 * All of it happens in one signal handler: a case ends with a signal, whose context is its result; the context of the next
 * case takes its place, and returning from the handler loads every register at once.  Linked away from where cases are
 * likely to point; cases leave TPIDR_EL0 alone, for libc needs it.
 */
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include "arm64_user.h"

static struct user_batch batch;
static struct user_state out[USER_CASES];
static int next = -1;	/* case that runs; -1: none yet */

static void read_all(void *to, size_t size)
{
	for (size_t at = 0; at < size;) {
		ssize_t n = read(0, (char *)to + at, size - at);

		if (n <= 0)
			_exit(n ? 1 : 0);
		at += (size_t)n;
	}
}

static void write_all(const void *from, size_t size)
{
	for (size_t at = 0; at < size;) {
		ssize_t n = write(1, (const char *)from + at, size - at);

		if (n <= 0)
			_exit(1);
		at += (size_t)n;
	}
}

/* The first record of the context's tail is always the floating-point one (Linux' arm64 setup_sigframe()). */
static struct fpsimd_context *vectors(ucontext_t *context)
{
	return (struct fpsimd_context *)context->uc_mcontext.__reserved;
}

static void save(struct user_state *s, int signal, const siginfo_t *info, ucontext_t *context)
{
	memcpy(s->x, context->uc_mcontext.regs, sizeof(uint64_t) * 31);
	s->x[31] = context->uc_mcontext.sp;
	s->pc = context->uc_mcontext.pc;
	s->nzcv = context->uc_mcontext.pstate & 0xf0000000;
	memcpy(s->v, vectors(context)->vregs, sizeof(s->v));
	s->fpcr = vectors(context)->fpcr;
	s->fpsr = vectors(context)->fpsr;
	s->signal = (uint32_t)signal;
	s->address = signal == SIGSEGV || signal == SIGBUS ? (uint64_t)info->si_addr : 0;
	s->memory = user_hash((const uint64_t *)USER_DATA_AT);
}

static void load(const struct user_state *s, ucontext_t *context)
{
	memcpy(context->uc_mcontext.regs, s->x, sizeof(uint64_t) * 31);
	context->uc_mcontext.sp = s->x[31];
	context->uc_mcontext.pc = s->pc;
	context->uc_mcontext.pstate = s->nzcv;
	memcpy(vectors(context)->vregs, s->v, sizeof(s->v));
	vectors(context)->fpcr = s->fpcr;
	vectors(context)->fpsr = s->fpsr;
}

static void ended(int signal, siginfo_t *info, void *place)
{
	ucontext_t *context = place;

	if (next >= 0)
		save(&out[next], signal, info, context);
	if (++next == USER_CASES)
		write_all(out, sizeof(out));
	if (next == USER_CASES || next == 0) {
		read_all(&batch, sizeof(batch));
		memcpy((void *)USER_DATA_AT, batch.data, sizeof(batch.data));
		memcpy((void *)USER_CODE_AT, batch.code, sizeof(batch.code));
		__builtin___clear_cache((char *)USER_CODE_AT, (char *)USER_CODE_AT + USER_CODE_SIZE);
		next = 0;
	}
	load(&batch.in[next], context);
}

static int map(uint64_t at, uint64_t size, int rights)
{
	return mmap((void *)at, size, rights, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == (void *)at ? 0 : -1;
}

int main(void)
{
	static char stack[65536];
	const stack_t other = {.ss_sp = stack, .ss_size = sizeof(stack)};
	struct sigaction action = {.sa_sigaction = ended, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
	static const int signals[] = {USER_ILL, USER_TRAP, USER_BUS, USER_SEGV};

	if (map(USER_CODE_AT, USER_CODE_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC) || map(USER_DATA_AT, USER_DATA_SIZE, PROT_READ | PROT_WRITE))
		return 1;
	sigaltstack(&other, NULL);
	for (unsigned i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		sigaction(signals[i], &action, NULL);
	__asm__ volatile("brk #0");
	return 1;
}
