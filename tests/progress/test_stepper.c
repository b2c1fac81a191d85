/* SPDX-License-Identifier: MIT */
/*
 * test_stepper.c - operations in assembler, whose every instruction is known.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/rseq.h>
#include <ucontext.h>
#include <unistd.h>

#include "base/check.h"
#include "progress/self_image.h"
#include "progress/stepper.h"

enum {
	SKIPPED = 77,
	PLAIN_INSTRUCTIONS = 11,
	/* stosb is met four times; what follows the system call is not. */
	PLAIN_POINTS = PLAIN_INSTRUCTIONS + 3 - 1,
	PLAIN_WRITES = 2 + 1 + 4,
	SECTION_INSTRUCTIONS = 11,
	SECTION_INSIDE = 7,
	CPUS_MAX = 8192,
};

/* plain_operation(words): what it counts to is in the enum above. */
void plain_operation(void *words);

/*
 * section_add(struct section_world *): adds one to the counter of this CPU in a
 * restartable sequence, or nothing if the CPU has none.
 *
 *	again:  announce the sequence
 *	begin:  cpu = rseq.cpu_id;  if (cpu >= limit) return
 *	        counters[cpu] = counters[cpu] + 1      the commit is the store
 *	end:    return
 *	abort:  aborts++;  goto again
 */
struct section_world {
	uint64_t *counters;
	void *rseq;
	uint64_t aborts;
	uint64_t limit;
};

void section_add(void *world);

__asm__(".text\n"
	".type plain_operation, @function\n"
	"plain_operation:\n"
	"	lock incq (%rdi)\n"
	"	xchg %rax, 8(%rdi)\n"
	"	xchg %rax, %rdx\n"
	"	mov $39, %eax\n" /* getpid */
	"	syscall\n"
	"	nop\n"
	"	add $16, %rdi\n"
	"	mov $4, %ecx\n"
	"	xor %eax, %eax\n"
	"	rep stosb\n"
	"	ret\n"
	".size plain_operation, . - plain_operation\n");

__asm__(".pushsection __rseq_cs, \"aw\"\n"
	".balign 32\n"
	"3:	.long 0, 0\n"
	"	.quad 1f, 2f - 1f, 4f\n"
	".popsection\n"
	".text\n"
	".type section_add, @function\n"
	"section_add:\n"
	"0:	lea 3b(%rip), %rax\n"
	"	mov 8(%rdi), %rsi\n"
	"	mov %rax, 8(%rsi)\n"
	"1:	mov 4(%rsi), %eax\n"
	"	cmp 24(%rdi), %rax\n"
	"	jae 2f\n"
	"	mov (%rdi), %rdx\n"
	"	mov (%rdx,%rax,8), %rcx\n"
	"	inc %rcx\n"
	"	mov %rcx, (%rdx,%rax,8)\n"
	"2:	ret\n"
	"	.byte 0x0f, 0xb9, 0x3d\n"
	"	.long 0x53053053\n"
	"4:	incq 16(%rdi)\n"
	"	jmp 0b\n"
	".size section_add, . - section_add\n");

static struct section_world world;
static uint64_t counters[CPUS_MAX];

static void nothing(void *context)
{
	(void)context;
}

static struct step_report stepped(enum step_points points, uint64_t target,
				  void (*operation)(void *), void *argument)
{
	const struct step_plan plan = {
		.points = points,
		.target = target,
		.suspend = nothing,
	};
	struct step_report report;

	stepper_run(&plan, operation, argument, &report);
	return report;
}

static void each_instruction_is_counted_by_its_kind(void **state)
{
	uint64_t words[4] = { 0 };
	const struct step_report report =
		stepped(STEP_EVERY, UINT64_MAX, plain_operation, words);

	(void)state;
	assert_int_equal(report.instructions, PLAIN_INSTRUCTIONS);
	assert_int_equal(report.own, PLAIN_INSTRUCTIONS);
	assert_int_equal(report.syscalls, 1);
	assert_int_equal(report.locked, 2);
	assert_int_equal(report.sections, 0);
	assert_int_equal(report.points, PLAIN_POINTS);
	assert_int_equal(report.frame_count, 0);
	assert_int_equal(words[0], 1);
}

static void points_of_a_kind_are_behind_it(void **state)
{
	static uint64_t shared[4];
	uint64_t on_stack[4] = { 0 };
	struct step_report report;

	(void)state;
	report = stepped(STEP_LOCKED, UINT64_MAX, plain_operation, shared);
	assert_int_equal(report.points, 2);
	report = stepped(STEP_WRITES, UINT64_MAX, plain_operation, shared);
	assert_int_equal(report.points, PLAIN_WRITES);
	/* The stack is nobody else's: only the system call is left. */
	report = stepped(STEP_WRITES, UINT64_MAX, plain_operation, on_stack);
	assert_int_equal(report.points, 1);
}

/* stop - what the first word was while the operation was suspended. */
struct stop {
	uint64_t words[4];
	uint64_t seen;
};

static void see(void *context)
{
	struct stop *const stop = context;

	stop->seen = stop->words[0];
}

static struct step_report stopped_at(enum step_points points, uint64_t target,
				     struct stop *stop)
{
	const struct step_plan plan = {
		.points = points,
		.target = target,
		.suspend = see,
		.context = stop,
	};
	struct step_report report;

	*stop = (struct stop){ .seen = UINT64_MAX };
	stepper_run(&plan, plain_operation, stop->words, &report);
	assert_true(report.frame_count > 0);
	assert_int_equal(stop->words[0], 1); /* it went on */
	return report;
}

static void it_is_suspended_at_its_point_and_goes_on_to_its_end(void **state)
{
	struct stop stop;

	(void)state;
	assert_int_equal(stopped_at(STEP_EVERY, 0, &stop).instructions, 0);
	assert_int_equal(stop.seen, 0);
	assert_int_equal(stopped_at(STEP_EVERY, 1, &stop).instructions, 1);
	assert_int_equal(stop.seen, 1);
	assert_int_equal(stopped_at(STEP_EVERY, 4, &stop).instructions, 4);
	/* Six run before the system call's trap comes, an instruction late. */
	assert_int_equal(stopped_at(STEP_EVERY, 5, &stop).instructions, 6);
	assert_int_equal(stopped_at(STEP_LOCKED, 0, &stop).instructions, 1);
	assert_int_equal(stop.seen, 1);
	assert_int_equal(stopped_at(STEP_LOCKED, 1, &stop).instructions, 2);
}

static void where_it_stands_is_known_by_name(void **state)
{
	uint64_t words[4] = { 0 };
	const struct step_report report =
		stepped(STEP_EVERY, 2, plain_operation, words);
	const uintptr_t begin = (uintptr_t)plain_operation;
	struct place place;

	(void)state;
	assert_in_range(report.frames[0], begin + 1, begin + 16);
	place = self_image_place(report.frames[0]);
	assert_string_equal(place.function, "plain_operation");
	place = self_image_place((uintptr_t)stopped_at);
	assert_string_equal(place.function, "stopped_at");
	assert_string_equal(place.file, "test_stepper.c");
	assert_null(self_image_place((uintptr_t)&world).function);
}

static void *end_itself(void *argument)
{
	struct step_report *const report = argument;
	const struct step_plan plan = { .points = STEP_COUNT };
	struct stepper_thread thread;

	stepper_thread_init(&thread);
	stepper_begin(&plan, report);
	(void)getpid();
	stepper_end();
	stepper_thread_fini(&thread);
	return NULL;
}

static void what_has_no_caller_is_stepped_from_begin_to_end(void **state)
{
	struct step_report report;
	pthread_t thread;

	(void)state;
	require(pthread_create(&thread, NULL, end_itself, &report) == 0);
	require(pthread_join(thread, NULL) == 0);
	assert_int_equal(report.syscalls, 1);
	assert_true(report.instructions > report.own);
}

static void world_reset(uint64_t limit)
{
	memset(counters, 0, sizeof(counters));
	world = (struct section_world){
		.counters = counters,
		.rseq = (unsigned char *)__builtin_thread_pointer() +
			__rseq_offset,
		.limit = limit,
	};
}

static uint64_t counted(void)
{
	uint64_t sum = 0;

	for (size_t cpu = 0; cpu < CPUS_MAX; cpu++)
		sum += counters[cpu];
	return sum;
}

static void a_section_is_counted_and_commits_once(void **state)
{
	struct step_report report;

	(void)state;
	world_reset(CPUS_MAX);
	report = stepped(STEP_COUNT, 0, section_add, &world);
	assert_int_equal(report.instructions, SECTION_INSTRUCTIONS);
	assert_int_equal(report.sections, 1);
	assert_int_equal(world.aborts, 0);
	assert_int_equal(counted(), 1);
}

static void a_section_that_is_left_by_a_branch_is_counted(void **state)
{
	struct step_report report;

	(void)state;
	world_reset(0);
	report = stepped(STEP_COUNT, 0, section_add, &world);
	/* All but the four behind the branch. */
	assert_int_equal(report.instructions, SECTION_INSTRUCTIONS - 4);
	assert_int_equal(world.aborts, 0);
	assert_int_equal(counted(), 0);
}

static void a_thread_stopped_in_a_section_begins_it_again(void **state)
{
	unsigned inside = 0;

	(void)state;
	for (uint64_t target = 0; target < SECTION_INSTRUCTIONS; target++) {
		struct step_report report;

		world_reset(CPUS_MAX);
		report = stepped(STEP_EVERY, target, section_add, &world);
		assert_true(report.frame_count > 0);
		inside += report.in_section;
		assert_int_equal(world.aborts, report.in_section);
		assert_int_equal(counted(), 1);
	}
	assert_int_equal(inside, SECTION_INSIDE);
}

/* What the kernel does to a section that meets a breakpoint. */
static struct {
	uintptr_t at;
	unsigned char byte; /* that it stands in for */
	int memory;         /* /proc/self/mem: code is not writable */
	uintptr_t went_on_at;
} breakpoint;

/* code_write - false where the kernel keeps code from being written to. */
static bool code_write(unsigned char byte)
{
	return pwrite(breakpoint.memory, &byte, 1, (off_t)breakpoint.at) == 1;
}

static void on_breakpoint(int signal, siginfo_t *info, void *context)
{
	const ucontext_t *const user = context;

	(void)signal;
	(void)info;
	breakpoint.went_on_at = (uintptr_t)user->uc_mcontext.gregs[REG_RIP];
	require(code_write(breakpoint.byte));
}

/* The engine's sections are in this program as well. */
static const struct section *own_section(void)
{
	const struct section *sections;
	const size_t count = self_image_sections(&sections);

	for (size_t i = 0; i < count; i++) {
		const struct place place =
			self_image_place(sections[i].start_ip);

		if (strcmp(place.function, "section_add") == 0)
			return &sections[i];
	}
	fail_msg("section_add has no section");
	return NULL;
}

static void collect(void *context, const struct step *step)
{
	uintptr_t **const next = context;

	if (section_has(own_section(), step->ip))
		*(*next)++ = step->ip;
}

static void the_kernel_aborts_where_the_stepper_does(void **state)
{
	uintptr_t inside[SECTION_INSTRUCTIONS];
	uintptr_t *end = inside;
	const struct step_plan plan = {
		.points = STEP_COUNT,
		.look = collect,
		.context = &end,
	};
	struct sigaction action = { .sa_flags = SA_SIGINFO | SA_ONSTACK };
	struct sigaction before;
	struct step_report report;

	(void)state;
	world_reset(CPUS_MAX);
	stepper_run(&plan, section_add, &world, &report);
	assert_int_equal(end - inside, SECTION_INSIDE);
	breakpoint.memory = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	assert_true(breakpoint.memory >= 0);
	breakpoint.at = *inside;
	if (!code_write(*(const unsigned char *)*inside)) {
		print_message("code cannot be written to: no breakpoints\n");
		skip();
	}
	action.sa_sigaction = on_breakpoint;
	assert_int_equal(sigaction(SIGTRAP, &action, &before), 0);
	for (const uintptr_t *at = inside; at < end; at++) {
		world_reset(CPUS_MAX);
		breakpoint.at = *at;
		breakpoint.byte = *(const unsigned char *)*at;
		require(code_write(0xcc));
		section_add(&world);
		assert_int_equal(breakpoint.went_on_at,
				 own_section()->abort_ip);
		assert_int_equal(world.aborts, 1);
		assert_int_equal(counted(), 1);
	}
	assert_int_equal(sigaction(SIGTRAP, &before, NULL), 0);
	assert_int_equal(close(breakpoint.memory), 0);
}

int main(void)
{
	const struct CMUnitTest plain[] = {
		cmocka_unit_test(each_instruction_is_counted_by_its_kind),
		cmocka_unit_test(points_of_a_kind_are_behind_it),
		cmocka_unit_test(
			it_is_suspended_at_its_point_and_goes_on_to_its_end),
		cmocka_unit_test(where_it_stands_is_known_by_name),
		cmocka_unit_test(
			what_has_no_caller_is_stepped_from_begin_to_end),
	};
	const struct CMUnitTest sections[] = {
		cmocka_unit_test(a_section_is_counted_and_commits_once),
		cmocka_unit_test(a_section_that_is_left_by_a_branch_is_counted),
		cmocka_unit_test(a_thread_stopped_in_a_section_begins_it_again),
		cmocka_unit_test(the_kernel_aborts_where_the_stepper_does),
	};
	struct stepper_thread thread;
	int failed;

	if (!stepper_init()) {
		print_message("a program cannot step itself here\n");
		return SKIPPED;
	}
	stepper_thread_init(&thread);
	failed = cmocka_run_group_tests(plain, NULL, NULL);
	if (__rseq_size > 0)
		failed += cmocka_run_group_tests(sections, NULL, NULL);
	else
		print_message("no restartable sequences: libc has none\n");
	stepper_thread_fini(&thread);
	stepper_fini();
	return failed;
}
