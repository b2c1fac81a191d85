/* SPDX-License-Identifier: MIT */
/*
 * test_percpu_aborts.c - every section, aborted at each of its instructions.
 *
 * A breakpoint inside a section is a signal inside a section: the kernel sends
 * the thread to the abort.  So
 *
 *   1  an operation is stepped through where nothing aborts it (fake_rseq.h),
 *      and the addresses inside sections are noted;
 *   2  a breakpoint is planted at one of them after the other, and the
 *      operation is done where the kernel watches.  The first run through it
 *      takes the breakpoint away: what is found in the end must be what would
 *      be found without any abort.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/percpu.h"

enum { SKIPPED = 77 };

#if defined(__x86_64__) && defined(__LP64__) && !defined(SECTION_SANITIZED)

#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "base/check.h"
#include "base/os.h"
#include "base/page.h"
#include "unit/fake_rseq.h"

enum {
	CAPACITY = 8,
	SOME = 5,
	STEPS_MAX = 128,
	TRIES = 1000,
	TRAP_FLAG = 1 << 8,
	BREAKPOINT = 0xcc,
	FIRST_PUSHED = 50,
};

/* section - what the kernel is told of one; rseq(2). */
struct section {
	uint32_t version;
	uint32_t flags;
	uint64_t begin;
	uint64_t bytes;
	uint64_t abort;
};

/* The linker's names for the ends of the sections' own part of the program. */
extern const struct section __start___rseq_cs[];
extern const struct section __stop___rseq_cs[];

static struct cpu_map map;
static struct percpu percpu;
static unsigned here;

/* state of the handler; one thread */
static uintptr_t steps[STEPS_MAX];
static unsigned nr_steps;
static unsigned char *planted; /* NULL: stepping */
static unsigned char original;
static bool keeps_planted;
static unsigned hits;
static unsigned strays; /* traps that did not end at an abort */

static const struct section *section_of(uintptr_t address)
{
	for (const struct section *section = __start___rseq_cs;
	     section < __stop___rseq_cs; section++) {
		if (address - section->begin < section->bytes)
			return section;
	}
	return NULL;
}

static void note_step(uintptr_t address)
{
	if (section_of(address) == NULL)
		return;
	for (unsigned i = 0; i < nr_steps; i++) {
		if (steps[i] == address)
			return;
	}
	require(nr_steps < STEPS_MAX);
	steps[nr_steps++] = address;
}

static void on_trap(int number, siginfo_t *info, void *context)
{
	greg_t *const registers = ((ucontext_t *)context)->uc_mcontext.gregs;

	(void)number;
	if (planted != NULL) {
		hits++;
		strays += (uintptr_t)registers[REG_RIP] !=
			  section_of((uintptr_t)planted)->abort;
		if (!keeps_planted)
			*planted = original;
	} else if (info->si_code == TRAP_TRACE) {
		note_step((uintptr_t)registers[REG_RIP]);
	} else {
		/* int3 of do_stepped: stepping begins, or ends. */
		registers[REG_EFL] ^= TRAP_FLAG;
	}
}

static void plant(uintptr_t address)
{
	hits = 0;
	strays = 0;
	planted = (unsigned char *)address;
	original = *planted;
	*planted = BREAKPOINT;
}

static void dig_up(void)
{
	*planted = original;
	planted = NULL;
}

/* model - what a slot holds, and what an operation gives. */
struct model {
	uint64_t cells[CAPACITY];
	unsigned count;
	unsigned moved;
	uint64_t values[SOME]; /* taken */
};

typedef unsigned operation(uint64_t *values);

static unsigned push_one(uint64_t *values)
{
	return percpu_push(&percpu, values[0]);
}

static unsigned take_one(uint64_t *values)
{
	return percpu_take(&percpu, values);
}

static unsigned push_some(uint64_t *values)
{
	return percpu_push_many(&percpu, values, SOME);
}

static unsigned take_some(uint64_t *values)
{
	return percpu_take_many(&percpu, values, SOME);
}

/* trial - an operation on a slot with `count` values. */
struct trial {
	const char *name;
	operation *operation;
	unsigned most;
	bool is_push;
	unsigned count;
	bool is_stopped;
};

#define TRIALS_OF(operation, most, is_push)                                        \
	{ #operation " none", operation, most, is_push, 0, false },                \
		{ #operation " of one", operation, most, is_push, 1, false },      \
		{ #operation " of six", operation, most, is_push, 6, false },      \
		{ #operation " full", operation, most, is_push, CAPACITY, false }, \
	{                                                                          \
#operation " stopped", operation, most, is_push, 3, true           \
	}

static const struct trial trials[] = {
	TRIALS_OF(push_one, 1, true),
	TRIALS_OF(take_one, 1, false),
	TRIALS_OF(push_some, SOME, true),
	TRIALS_OF(take_some, SOME, false),
};

enum { TRIALS = sizeof(trials) / sizeof(trials[0]) };

static unsigned least(unsigned one, unsigned other)
{
	return one < other ? one : other;
}

static void model_of(const struct trial *trial, struct model *model)
{
	*model = (struct model){ .count = trial->count };
	for (unsigned i = 0; i < trial->count; i++)
		model->cells[i] = i;
	if (trial->is_stopped)
		return;
	if (trial->is_push) {
		model->moved = least(trial->most, CAPACITY - trial->count);
		for (unsigned i = 0; i < model->moved; i++)
			model->cells[model->count++] = FIRST_PUSHED + i;
		return;
	}
	model->moved = least(trial->most, trial->count);
	for (unsigned i = 0; i < model->moved; i++)
		model->values[i] = model->cells[--model->count];
}

/* slot_fill - as `trial` begins; nobody else is there. */
static struct section_slot *slot_fill(const struct trial *trial)
{
	struct section_slot *const slot =
		(void *)(percpu.slots.base + here * percpu.slots.slot_bytes);

	for (uint64_t i = 0; i < CAPACITY; i++)
		slot->cells[i] = i;
	slot->count = trial->count;
	slot->stopped = trial->is_stopped;
	return slot;
}

/* is_as - whether slot and result are the model's. */
static bool is_as(const struct model *model, const struct trial *trial,
		  struct section_slot *slot, const uint64_t *values,
		  unsigned moved)
{
	bool same = slot->count == model->count && moved == model->moved;

	for (unsigned i = 0; same && i < model->count; i++)
		same = slot->cells[i] == model->cells[i];
	for (unsigned i = 0; same && !trial->is_push && i < moved; i++)
		same = values[i] == model->values[i];
	return same;
}

static void values_fill(uint64_t *values)
{
	for (unsigned i = 0; i < SOME; i++)
		values[i] = FIRST_PUSHED + i;
}

/* do_stepped - where nothing aborts; notes the addresses inside sections. */
static bool do_stepped(const struct trial *trial)
{
	struct section_slot *const slot = slot_fill(trial);
	const ptrdiff_t real = percpu.slots.rseq_offset;
	struct model model;
	uint64_t values[SOME];

	model_of(trial, &model);
	values_fill(values);
	nr_steps = 0;
	fake_rseq.cpu_id = here;
	percpu.slots.rseq_offset = fake_rseq_offset();
	__asm__ volatile("int3" ::: "memory");

	const unsigned moved = trial->operation(values);

	__asm__ volatile("int3" ::: "memory");
	percpu.slots.rseq_offset = real;
	return nr_steps > 0 && is_as(&model, trial, slot, values, moved);
}

/* do_aborted - once at `address`; what is wrong, or NULL. */
static const char *do_aborted(const struct trial *trial, uintptr_t address)
{
	struct section_slot *const slot = slot_fill(trial);
	struct model model;
	uint64_t values[SOME];

	model_of(trial, &model);
	values_fill(values);
	plant(address);

	const unsigned moved = trial->operation(values);

	dig_up();
	if (hits != 1)
		return "not trapped once";
	if (strays != 0)
		return "did not go on at the abort";
	return is_as(&model, trial, slot, values, moved) ? NULL : "wrong";
}

static unsigned count_failures(const struct trial *trial)
{
	unsigned failures = 0;

	for (unsigned i = 0; i < nr_steps; i++) {
		const char *const wrong = do_aborted(trial, steps[i]);

		if (wrong == NULL)
			continue;
		failures++;
		print_error("%s, instruction %u of %u: %s\n", trial->name, i,
			    nr_steps, wrong);
	}
	return failures;
}

static void an_abort_at_any_instruction_changes_nothing(void **state)
{
	unsigned failures = 0;

	(void)state;
	for (unsigned i = 0; i < TRIALS; i++) {
		assert_true(do_stepped(&trials[i]));
		failures += count_failures(&trials[i]);
	}
	assert_int_equal(failures, 0);
}

/*
 * The breakpoint stays.  One that comes from elsewhere (we are preempted) is
 * counted by the section and not by us, so there is more than one try.
 */
static void aborts_without_end_are_a_refusal(void **state)
{
	static const struct trial of_six[] = {
		{ "push_one", push_one, 1, true, 6, false },
		{ "take_one", take_one, 1, false, 6, false },
		{ "push_some", push_some, SOME, true, 6, false },
		{ "take_some", take_some, SOME, false, 6, false },
	};

	(void)state;
	keeps_planted = true;
	for (unsigned i = 0; i < 4; i++) {
		const struct trial *const trial = &of_six[i];
		uint64_t values[SOME];
		unsigned moved = 1;

		assert_true(do_stepped(trial));
		hits = 0;
		for (unsigned n = 0; n < TRIES && hits != SECTION_ABORTS_MAX;
		     n++) {
			struct section_slot *const slot = slot_fill(trial);

			values_fill(values);
			plant(steps[nr_steps - 1]); /* the commit */
			moved = trial->operation(values);
			dig_up();
			assert_int_equal(slot->count, 6);
		}
		assert_int_equal(hits, SECTION_ABORTS_MAX);
		assert_int_equal(moved, 0);
	}
	keeps_planted = false;
}

/* open_text - sections can be written to; false where that is forbidden. */
static bool open_text(void)
{
	for (const struct section *section = __start___rseq_cs;
	     section < __stop___rseq_cs; section++) {
		const uintptr_t begin = section->begin & PAGE_MASK;
		const uintptr_t end =
			align_up(section->begin + section->bytes, PAGE_SIZE);

		if (mprotect((void *)begin, end - begin,
			     PROT_READ | PROT_WRITE | PROT_EXEC) != 0)
			return false;
	}
	return true;
}

static int set_up(void **state)
{
	const struct cpu_options options = { 0 };
	struct sigaction action = { .sa_sigaction = on_trap,
				    .sa_flags = SA_SIGINFO };

	(void)state;
	here = cpu_current().value;
	require(os_linux.pin_thread(here) == 0);
	require(sigaction(SIGTRAP, &action, NULL) == 0);
	require(cpu_map_init(&map, &options, &os_linux) == 0);
	return percpu_init(&percpu, &percpu_rseq, &map, CAPACITY, &os_linux);
}

static int tear_down(void **state)
{
	(void)state;
	percpu_fini(&percpu);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_abort_at_any_instruction_changes_nothing),
		cmocka_unit_test(aborts_without_end_are_a_refusal),
	};

	if (percpu_choose(PERCPU_RSEQ, &os_linux) == NULL || !open_text()) {
		(void)puts("no rseq here, or no breakpoints");
		return SKIPPED;
	}
	return cmocka_run_group_tests_name("percpu_aborts", tests, set_up,
					   tear_down);
}

#else

int main(void)
{
	(void)puts("no sections to put breakpoints into");
	return SKIPPED;
}

#endif
