/* SPDX-License-Identifier: MIT */
/*
 * test_stopped_long.c - one thread stands still, and others work on as if it
 * were not there: OPERATIONS of them, which turn the window and the memory over
 * many times, so that whatever leaks by the operation runs out.
 *
 * In the end no more is missing than the stopped one holds (W1 and W2 of
 * progress/audited_world.h).  Its own worker stands still, too: in the middle
 * of a purge, before the system call that unmaps what it took.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <sched.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/page.h"
#include "core/engine.h"
#include "progress/audited_world.h"

enum {
	SKIPPED = 77,
	OPERATIONS = 200000,
	OPERATIONS_LONG = 10000000,
	CHURNS = 2,
	OTHERS = CHURNS + 2,
	CHURN_AREAS = 64,
	CHURN_PAGES_MAX = 8,
	WORKER_AREAS = 100,
	PARTS = 8,
};

static unsigned operations;

/* churn - areas of 1 to CHURN_PAGES_MAX pages come and go at random. */
struct churn {
	struct audited_world *audited;
	uint64_t random; /* never 0 */
	void *areas[CHURN_AREAS];
};

static uint64_t random_next(struct churn *churn)
{
	churn->random ^= churn->random << 13;
	churn->random ^= churn->random >> 7;
	churn->random ^= churn->random << 17;
	return churn->random;
}

static void area_toggle(struct world *world, void **area, size_t bytes)
{
	if (*area != NULL) {
		world_area_free(world, *area);
		*area = NULL;
		return;
	}
	*area = world->address_plane ? lfv_get_vm_area(world->lfv, bytes, 0)
				     : lfv_vmalloc(world->lfv, bytes);
	require(*area != NULL);
}

static void churn_once(void *context)
{
	struct churn *const churn = context;
	struct world *const world = &churn->audited->world;
	const uint64_t random = random_next(churn);
	const size_t pages = 1 + random / CHURN_AREAS % CHURN_PAGES_MAX;
	struct lfv_vm_info info;

	area_toggle(world, &churn->areas[random % CHURN_AREAS],
		    pages_to_bytes(pages));
	require(lfv_find_vm_area(world->lfv, world->live, &info) == 0);
}

static void churns_end(void *context)
{
	struct churn *const churns = context;

	for (unsigned i = 0; i < CHURNS * CHURN_AREAS; i++) {
		struct churn *const churn = &churns[i / CHURN_AREAS];
		void **const area = &churn->areas[i % CHURN_AREAS];

		if (*area != NULL)
			area_toggle(&churn->audited->world, area, 0);
	}
}

/* others_start - CHURNS that work, one who ends that, and the auditor. */
static void others_start(struct bystander *others, struct churn *churns,
			 struct audited_world *audited)
{
	for (unsigned i = 0; i < CHURNS; i++) {
		churns[i] =
			(struct churn){ .audited = audited, .random = i + 1 };
		others[i] = (struct bystander){ .operate = churn_once,
						.context = &churns[i],
						.operations = operations };
	}
	others[CHURNS] = (struct bystander){ .operate = churns_end,
					     .context = churns,
					     .operations = 1 };
	others[CHURNS + 1] = (struct bystander){ .operate = audited_world_audit,
						 .context = audited,
						 .operations = 1 };
	for (unsigned i = 0; i < OTHERS; i++)
		bystander_start(&others[i]);
}

static void others_stop(struct bystander *others)
{
	for (unsigned i = 0; i < OTHERS; i++)
		bystander_stop(&others[i]);
}

static const struct audited_operation *operation_find(const char *name)
{
	for (unsigned i = 0; i < AUDITED_OPERATIONS; i++) {
		if (strcmp(audited_operations[i].name, name) == 0)
			return &audited_operations[i];
	}
	fail_msg("no operation %s", name);
	return NULL;
}

/*
 * worst_point - of PARTS - 1 points of an operation the one at which it holds
 * most; with the auditor as the only bystander.
 */
static uint64_t worst_point(struct audited_world *audited,
			    const struct stopped *stopped, uint64_t points)
{
	uint64_t worst = points / 2;
	uint64_t most = 0;

	for (unsigned part = 1; part < PARTS; part++) {
		const uint64_t point = points * part / PARTS;
		struct stopped_report report;

		audited->stopped = (struct audit){ 0 };
		if (!stopped_at(stopped, STEP_EVERY, point, &report) ||
		    audited->stopped.pages <= most)
			continue;
		most = audited->stopped.pages;
		worst = point;
	}
	audited->stopped = (struct audit){ 0 };
	return worst;
}

/* stopped_within - in the named operation, while the others work. */
static void stopped_within(const char *name, const char *mapping,
			   bool address_plane)
{
	const struct world_options options = {
		.strategy = "lockfree",
		.mapping = mapping,
		.address_plane = address_plane,
		.is_bare = true,
	};
	const struct audited_operation *const operation = operation_find(name);
	static struct audited_world audited;
	static struct churn churns[CHURNS];
	static struct step_marks marks;
	struct bystander others[OTHERS];
	struct stopped_report report;
	struct step_report whole;

	assert_true(audited_world_init(&audited, &options));
	others_start(others, churns, &audited);

	struct stopped stopped = audited_world_stopped(&audited, operation);
	const uint64_t points =
		stopped_mark(&stopped, STEP_EVERY, &marks, &whole);

	stopped.bystanders = &others[OTHERS - 1];
	stopped.bystander_count = 1;

	const uint64_t point = worst_point(&audited, &stopped, points);

	stopped.bystanders = others;
	stopped.bystander_count = OTHERS;
	assert_true(stopped_at(&stopped, STEP_EVERY, point, &report));

	/* Stocks are large here: it may hold what there was to be purged. */
	const bool is_holder = operation->holds > 0;
	const uint64_t holds = is_holder ? audited.loose : 0;

	print_message("%s, %lu of %lu instructions: missing %lu pages, %lu "
		      "frames of %lu\n",
		      name, (unsigned long)report.whole.instructions,
		      (unsigned long)whole.instructions,
		      (unsigned long)audited.stopped.pages,
		      (unsigned long)audited.stopped.frames,
		      (unsigned long)holds);
	assert_int_equal(report.blocked, 0);
	assert_int_equal(audited.stopped.pages > 0, is_holder);
	assert_true(audited.stopped.pages <= holds);
	assert_true(audited.stopped.frames <= holds);
	assert_int_equal(audited.over.pages, 0);
	assert_int_equal(audited.over.frames, 0);
	others_stop(others);
	audited_world_fini(&audited);
}

static void others_work_on_beside_a_stopped_lookup(void **state)
{
	(void)state;
	stopped_within("lookup", "lazy", true);
	stopped_within("lookup", "keep", false);
}

static void others_work_on_beside_a_stopped_purge(void **state)
{
	(void)state;
	stopped_within("purge", "lazy", true);
	stopped_within("purge", "keep", false);
}

/* What the worker comes to, and where it stays until it is let go. */
static struct gate {
	const struct lfv *lfv; /* NULL: open */
	sem_t is_there;
	sem_t is_let_go;
} gate;

static void sem_wait_for(sem_t *semaphore)
{
	while (sem_wait(semaphore) != 0)
		require(errno == EINTR);
}

static int remap_none_gated(void *base, size_t bytes)
{
	if (gate.lfv != NULL &&
	    pthread_equal(pthread_self(), gate.lfv->worker.thread)) {
		gate.lfv = NULL;
		require(sem_post(&gate.is_there) == 0);
		sem_wait_for(&gate.is_let_go);
	}
	return os_linux.remap_none(base, bytes);
}

/* worker_stop - let it find something lazy, and stop it with that. */
static void worker_stop(struct world *world)
{
	void *areas[WORKER_AREAS];

	for (unsigned i = 0; i < WORKER_AREAS; i++)
		areas[i] = world_area_make(world);
	for (unsigned i = 0; i < WORKER_AREAS; i++)
		world_area_free(world, areas[i]);
	gate.lfv = world->lfv;
	worker_wake(&world->lfv->worker);
	sem_wait_for(&gate.is_there);
}

static void others_work_on_beside_a_stopped_worker(void **state)
{
	struct os os = os_linux;
	const struct world_options options = {
		.strategy = "lockfree",
		.mapping = "lazy",
		.worker = "thread",
		.is_bare = true,
		.os = &os,
	};
	static struct audited_world audited;
	static struct churn churns[CHURNS];
	struct bystander others[OTHERS];

	(void)state;
	os.remap_none = remap_none_gated;
	assert_int_equal(sem_init(&gate.is_there, 0, 0), 0);
	assert_int_equal(sem_init(&gate.is_let_go, 0, 0), 0);
	assert_true(audited_world_init(&audited, &options));
	others_start(others, churns, &audited);
	worker_stop(&audited.world);
	for (unsigned i = 0; i < OTHERS; i++) {
		bystander_order(&others[i]);
		assert_int_equal(bystander_judge(others, i), VERDICT_PASSED);
	}
	print_message("missing %lu pages, %lu frames of %d\n",
		      (unsigned long)audited.stopped.pages,
		      (unsigned long)audited.stopped.frames,
		      WORKER_AREAS * WORLD_AREA_PAGES);
	assert_true(audited.stopped.pages > 0);
	assert_true(audited.stopped.pages <= WORKER_AREAS * WORLD_AREA_PAGES);
	assert_true(audited.stopped.frames <= WORKER_AREAS);
	assert_int_equal(sem_post(&gate.is_let_go), 0);
	/* It ends when it ends: a time limit is the test's. */
	do {
		(void)sched_yield();
		audited.stopped = (struct audit){ 0 };
		audited_world_audit(&audited);
	} while (audited.stopped.pages + audited.stopped.frames > 0);
	others_stop(others);
	audited_world_fini(&audited);
	assert_int_equal(sem_destroy(&gate.is_there), 0);
	assert_int_equal(sem_destroy(&gate.is_let_go), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(others_work_on_beside_a_stopped_lookup),
		cmocka_unit_test(others_work_on_beside_a_stopped_purge),
		cmocka_unit_test(others_work_on_beside_a_stopped_worker),
	};
	struct stepper_thread thread;
	int failed = 0;

	operations =
		getenv("LFV_TEST_LONG") != NULL ? OPERATIONS_LONG : OPERATIONS;
	operations /= CHURNS;
	if (!stepper_init()) {
		print_message("a program cannot step itself here\n");
		return SKIPPED;
	}
	world_warm_up();
	stopped_init();
	stepper_thread_init(&thread);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	stepper_thread_fini(&thread);
	stepper_fini();
	return failed;
}
