/* SPDX-License-Identifier: MIT */
/*
 * test_bystander.c - the verdicts on toys of which the answer is known.
 *
 * A stack of Treiber's and the slots of base/percpu.h block nobody, wherever a
 * thread stops inside.  A spinlock's holder has the others spin, a
 * mutex's has them sleep, and at how many instructions is known of the first.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <sched.h>
#include <time.h>

#include "base/atomic.h"
#include "base/check.h"
#include "base/os.h"
#include "base/percpu.h"
#include "progress/stopped.h"

enum {
	SKIPPED = 77,
	BYSTANDERS = 2,
	OPERATIONS = 3,
	NODES = 16,
	SPIN_INSTRUCTIONS = 8,
	/* test, jnz, inc, mov: from behind the xchg to before the store. */
	SPIN_HELD = 4,
	PERCPU_CAPACITY = 4,
	NS_PER_S = 1000000000,
};

/* A stack of nodes by number; the tag counts the changes. */
static struct {
	_Atomic(uint64_t) head; /* tag << 32 | node + 1 */
	_Atomic(uint32_t) next[NODES];
} stack;

static void stack_push(uint32_t node)
{
	/* relaxed: a guess, put right by the compare-and-swap. */
	uint64_t head = load_relaxed(&stack.head);
	uint64_t new;

	do {
		/* relaxed: published by the compare-and-swap. */
		store_relaxed(&stack.next[node], (uint32_t)head);
		new = ((head >> 32) + 1) << 32 | (node + 1);
		/* release [toy-stack]: the node's link. */
	} while (!cas_release(&stack.head, &head, new));
}

static uint32_t stack_pop(void)
{
	/* acquire [toy-stack]: the link of the node on top. */
	uint64_t head = load_acquire(&stack.head);
	uint64_t new;

	do {
		const uint32_t top = (uint32_t)head;

		require(top != 0);
		/* relaxed: a stale link fails the compare-and-swap. */
		new = ((head >> 32) + 1) << 32 |
		      load_relaxed(&stack.next[top - 1]);
		/* acquire [toy-stack]: as above, of a node met meanwhile. */
	} while (!cas_acquire(&stack.head, &head, new));
	return (uint32_t)head - 1;
}

static void treiber(void *context)
{
	(void)context;
	stack_push(stack_pop());
}

static struct percpu percpu;

static void slots(void *context)
{
	uint64_t value;

	(void)context;
	if (percpu_take(&percpu, &value))
		(void)percpu_push(&percpu, value);
}

/* A spinlock and what it guards. */
static uint64_t spin_words[2];

void spin_operation(void *words);

__asm__(".text\n"
	".type spin_operation, @function\n"
	"spin_operation:\n"
	"1:	mov $1, %eax\n"
	"	xchg %eax, (%rdi)\n"
	"	test %eax, %eax\n"
	"	jnz 1b\n"
	"	incq 8(%rdi)\n"
	"	movl $0, (%rdi)\n"
	"	nop\n"
	"	ret\n"
	".size spin_operation, . - spin_operation\n");

static void spin(void *context)
{
	(void)context;
	spin_operation(spin_words);
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void sleeper(void *context)
{
	(void)context;
	require(pthread_mutex_lock(&mutex) == 0);
	spin_words[1]++;
	require(pthread_mutex_unlock(&mutex) == 0);
}

/* Another way to wait: to sleep a little and look again. */
static _Atomic(bool) is_taken;

static void poller(void *context)
{
	const struct timespec nap = { .tv_nsec = 50000 };
	bool is_free = false;

	(void)context;
	/* acquire [toy-poll]: what the last holder did. */
	while (!cas_acquire(&is_taken, &is_free, true)) {
		(void)nanosleep(&nap, NULL);
		is_free = false;
	}
	/* release [toy-poll]: let the next one see it. */
	store_release(&is_taken, false);
}

/* Long, but under way: it holds the mutex and works. */
static _Atomic(bool) is_inside;

static uint64_t own_cpu_ns(void)
{
	struct timespec time;

	require(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time) == 0);
	return (uint64_t)time.tv_sec * NS_PER_S + (uint64_t)time.tv_nsec;
}

static void worker(void *context)
{
	const uint64_t began = own_cpu_ns();

	(void)context;
	require(pthread_mutex_lock(&mutex) == 0);
	/* release [toy-inside]: the mutex is taken. */
	store_release(&is_inside, true);
	while (own_cpu_ns() - began < BYSTANDER_SPIN_NS / 2)
		cpu_relax();
	require(pthread_mutex_unlock(&mutex) == 0);
}

static struct stopped_report report_of(void (*operation)(void *),
				       enum stopped_thread thread,
				       enum step_points points)
{
	struct bystander bystanders[BYSTANDERS] = { 0 };
	const struct stopped stopped = {
		.operate = operation,
		.thread = thread,
		.bystanders = bystanders,
		.bystander_count = BYSTANDERS,
	};
	struct stopped_report report;

	for (unsigned i = 0; i < BYSTANDERS; i++) {
		bystanders[i].operate = operation;
		bystanders[i].operations = OPERATIONS;
		bystander_start(&bystanders[i]);
	}
	operation(NULL);
	stopped_run(&stopped, points, &report);
	for (unsigned i = 0; i < BYSTANDERS; i++)
		bystander_stop(&bystanders[i]);
	return report;
}

static void a_lock_free_stack_blocks_nobody(void **state)
{
	struct stopped_report report;

	(void)state;
	atomic_init(&stack.head, 0);
	for (uint32_t node = 0; node < NODES; node++)
		stack_push(node);
	report = report_of(treiber, STOPPED_CALLER, STEP_EVERY);
	assert_int_equal(report.blocked, 0);
	assert_int_equal(report.suspensions, report.whole.instructions);
	assert_int_equal(report.whole.locked, 2);
	report = report_of(treiber, STOPPED_FRESH, STEP_WRITES);
	assert_int_equal(report.blocked, 0);
	assert_int_equal(report.suspensions, 3); /* a link, the head twice */
}

/* slots_set_up - full slots of that member, on the machine's own CPUs. */
static void slots_set_up(struct cpu_map *map, const struct percpu_ops *ops)
{
	const struct cpu_options own = { 0 };

	assert_int_equal(cpu_map_init(map, &own, &os_linux), 0);
	assert_int_equal(
		percpu_init(&percpu, ops, map, PERCPU_CAPACITY, &os_linux), 0);
	for (uint64_t value = 0; value < PERCPU_CAPACITY; value++)
		(void)percpu_push(&percpu, value);
}

static void slots_of_cpus_block_nobody(void **state)
{
	static struct cpu_map map;
	struct stopped_report report;

	(void)state;
	slots_set_up(&map, &percpu_cas);
	report = report_of(slots, STOPPED_CALLER, STEP_EVERY);
	assert_int_equal(report.blocked, 0);
	assert_true(report.suspensions > 0);
	percpu_fini(&percpu);
}

static unsigned values_left(const struct cpu_map *map)
{
	uint64_t values[PERCPU_CAPACITY];
	unsigned count = 0;

	for (unsigned slot = 0; slot < map->cpu_slots; slot++) {
		const int taken = percpu_take_all(&percpu, slot, values);

		assert_true(taken >= 0);
		count += (unsigned)taken;
	}
	return count;
}

static void a_thread_stopped_in_a_section_of_a_slot_blocks_nobody(void **state)
{
	const struct percpu_ops *const rseq =
		percpu_choose(PERCPU_RSEQ, &os_linux);
	static struct cpu_map map;
	struct stopped_report report;

	(void)state;
	if (rseq == NULL)
		skip();
	slots_set_up(&map, rseq);
	assert_true(percpu.has_sections);
	report = report_of(slots, STOPPED_CALLER, STEP_EVERY);
	assert_int_equal(report.blocked, 0);
	assert_true(report.inside > 0);
	assert_int_equal(report.whole.locked, 0);
	assert_int_equal(report.whole.syscalls, 0);
	assert_in_range(values_left(&map), 1, PERCPU_CAPACITY);
	percpu_fini(&percpu);
}

static void a_spinlock_s_holder_has_all_spin(void **state)
{
	const unsigned all = (1U << BYSTANDERS) - 1;
	struct stopped_report report;

	(void)state;
	report = report_of(spin, STOPPED_CALLER, STEP_LOCKED);
	assert_int_equal(report.suspensions, 1);
	assert_int_equal(report.blocked, 1);
	assert_int_equal(report.place_count, 1);
	assert_string_equal(report.places[0].function, "spin_operation");
	assert_int_equal(report.places[0].blocked, all);
	assert_int_equal(report.places[0].spin, all);
}

static void each_instruction_under_a_lock_blocks(void **state)
{
	struct stopped_report report;

	(void)state;
	report = report_of(spin, STOPPED_CALLER, STEP_EVERY);
	assert_true(report.suspensions >= SPIN_INSTRUCTIONS);
	assert_int_equal(report.blocked, SPIN_HELD);
	/* Between two writes nothing changes for the others. */
	report = report_of(spin, STOPPED_CALLER, STEP_WRITES);
	assert_int_equal(report.suspensions, 3);
	assert_int_equal(report.blocked, 2);
}

static void a_mutex_s_holder_has_all_sleep(void **state)
{
	const unsigned all = (1U << BYSTANDERS) - 1;
	struct stopped_report report;

	(void)state;
	report = report_of(sleeper, STOPPED_CALLER, STEP_LOCKED);
	assert_int_equal(report.suspensions, 2); /* taken, given */
	assert_int_equal(report.blocked, 1);
	assert_string_equal(report.places[0].function, "sleeper");
	assert_int_equal(report.places[0].blocked, all);
	assert_int_equal(report.places[0].spin, 0);
}

static void one_who_waits_for_a_running_one_is_not_blocked(void **state)
{
	struct bystander all[] = {
		{ .operate = worker, .operations = 1 },
		{ .operate = sleeper, .operations = 1 },
	};

	(void)state;
	bystander_start(&all[0]);
	bystander_start(&all[1]);
	bystander_order(&all[0]);
	/* acquire [toy-inside]: the mutex is taken. */
	while (!load_acquire(&is_inside))
		(void)sched_yield();
	bystander_order(&all[1]);
	assert_int_equal(bystander_judge(all, 1), VERDICT_PASSED);
	assert_int_equal(bystander_judge(all, 0), VERDICT_PASSED);
	bystander_stop(&all[0]);
	bystander_stop(&all[1]);
}

static void one_who_naps_and_looks_again_is_blocked(void **state)
{
	const struct stopped_report report =
		report_of(poller, STOPPED_CALLER, STEP_LOCKED);

	(void)state;
	assert_int_equal(report.blocked, 1);
}

static void a_new_thread_is_stopped_as_well(void **state)
{
	const struct stopped_report report =
		report_of(sleeper, STOPPED_FRESH, STEP_LOCKED);

	(void)state;
	assert_int_equal(report.suspensions, 2);
	assert_int_equal(report.blocked, 1);
}

/* What a thread leaves to its end. */
static pthread_key_t sleeper_key;

static void leave_to_the_end(void *context)
{
	(void)context;
	require(pthread_setspecific(sleeper_key, &mutex) == 0);
}

static void the_end_of_a_thread_blocks_who_needs_its_locks(void **state)
{
	struct bystander bystander = {
		.operate = sleeper,
		.operations = OPERATIONS,
	};
	const struct stopped stopped = {
		.operate = leave_to_the_end,
		.thread = STOPPED_ENDING,
		.bystanders = &bystander,
		.bystander_count = 1,
	};
	struct stopped_report report;

	(void)state;
	bystander_start(&bystander);
	stopped_run(&stopped, STEP_LOCKED, &report);
	bystander_stop(&bystander);
	assert_int_equal(report.blocked, 1);
	assert_string_equal(report.places[0].function, "sleeper");
}

static void it_gives_up_after_as_many_stops_as_are_enough(void **state)
{
	struct bystander bystander = {
		.operate = sleeper,
		.operations = OPERATIONS,
	};
	const struct stopped stopped = {
		.operate = sleeper,
		.bystanders = &bystander,
		.bystander_count = 1,
		.blocked_max = 2,
	};
	struct stopped_report report;

	(void)state;
	bystander_start(&bystander);
	stopped_run(&stopped, STEP_EVERY, &report);
	bystander_stop(&bystander);
	assert_int_equal(report.blocked, 2);
}

static void prepare_count(void *context)
{
	((unsigned *)context)[0]++;
}

static void operate_count(void *context)
{
	((unsigned *)context)[1]++;
}

static void tidy_count(void *context)
{
	((unsigned *)context)[2]++;
}

static void restore_count(void *context)
{
	unsigned *const counts = context;

	counts[3]++;
	assert_int_equal(counts[4], OPERATIONS);
	counts[4] = 0;
}

static void bystander_count(void *context)
{
	((unsigned *)context)[4]++;
}

static void each_run_is_prepared_and_tidied(void **state)
{
	unsigned counts[5] = { 0 };
	struct bystander bystander = {
		.operate = bystander_count,
		.restore = restore_count,
		.context = counts,
		.operations = OPERATIONS,
	};
	const struct stopped stopped = {
		.prepare = prepare_count,
		.operate = operate_count,
		.tidy = tidy_count,
		.context = counts,
		.bystanders = &bystander,
		.bystander_count = 1,
	};
	struct stopped_report report;

	(void)state;
	bystander_start(&bystander);
	stopped_run(&stopped, STEP_EVERY, &report);
	bystander_stop(&bystander);
	assert_true(report.suspensions > 0);
	assert_int_equal(counts[0], report.suspensions + 1);
	assert_int_equal(counts[1], report.suspensions + 1);
	assert_int_equal(counts[2], report.suspensions + 1);
	assert_int_equal(counts[3], report.suspensions);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_run_is_prepared_and_tidied),
		cmocka_unit_test(a_lock_free_stack_blocks_nobody),
		cmocka_unit_test(slots_of_cpus_block_nobody),
		cmocka_unit_test(
			a_thread_stopped_in_a_section_of_a_slot_blocks_nobody),
		cmocka_unit_test(a_spinlock_s_holder_has_all_spin),
		cmocka_unit_test(each_instruction_under_a_lock_blocks),
		cmocka_unit_test(a_mutex_s_holder_has_all_sleep),
		cmocka_unit_test(
			one_who_waits_for_a_running_one_is_not_blocked),
		cmocka_unit_test(one_who_naps_and_looks_again_is_blocked),
		cmocka_unit_test(it_gives_up_after_as_many_stops_as_are_enough),
		cmocka_unit_test(a_new_thread_is_stopped_as_well),
		cmocka_unit_test(
			the_end_of_a_thread_blocks_who_needs_its_locks),
	};
	struct stepper_thread thread;
	int failed;

	if (!stepper_init()) {
		print_message("a program cannot step itself here\n");
		return SKIPPED;
	}
	/* Before the end of the stepping: destructors run in this order. */
	require(pthread_key_create(&sleeper_key, sleeper) == 0);
	stopped_init();
	stepper_thread_init(&thread);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	stepper_thread_fini(&thread);
	stepper_fini();
	return failed;
}
