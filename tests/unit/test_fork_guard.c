/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/rcu.h"
#include "base/slab.h"
#include "base/tsan.h"
#include "engine_fixture.h"
#include "fault_probe.h"

/* in_child - fork, run `body`, and give back its exit status. */
static int in_child(int (*body)(struct lfv *lfv, unsigned char *area),
		    struct lfv *lfv, unsigned char *area)
{
	const pid_t child = fork();
	int status = 0;

	assert_true(child >= 0);
	if (child == 0)
		_exit(body(lfv, area));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int call_everything(struct lfv *lfv, unsigned char *area)
{
	struct lfv_vm_info info;
	struct lfv_page page = { 0 };
	struct lfv_stats stats = { .struct_bytes = sizeof(stats) };
	int wrong = 0;

	wrong += lfv_vmalloc(lfv, 1) != NULL || errno != EOWNERDEAD;
	wrong += lfv_get_vm_area(lfv, 1, 0) != NULL || errno != EOWNERDEAD;
	wrong += lfv_vmap(lfv, &page, 1) != NULL || errno != EOWNERDEAD;
	wrong += lfv_ioremap(lfv, 0, 0, 1, 0) != NULL || errno != EOWNERDEAD;
	wrong += lfv_vfree(lfv, area) != -EOWNERDEAD;
	wrong += lfv_find_vm_area(lfv, area, &info) != -EOWNERDEAD;
	wrong += lfv_for_each_vm_area(lfv, NULL, NULL) != -EOWNERDEAD;
	wrong += lfv_vmalloc_to_frame(lfv, area, &page) != -EOWNERDEAD;
	wrong += lfv_alloc_pages(lfv, 0, &page) != -EOWNERDEAD;
	wrong += lfv_free_pages(lfv, page, 0) != -EOWNERDEAD;
	wrong += lfv_purge(lfv) != -EOWNERDEAD;
	wrong += lfv_get_stats(lfv, &stats) != -EOWNERDEAD;
	wrong += lfv_vmallocinfo(lfv, stdout, LFV_TEXT) != -EOWNERDEAD;
	lfv_check(lfv);
	lfv_destroy(lfv);
	return wrong;
}

static int touch(struct lfv *lfv, unsigned char *area)
{
	(void)lfv;
	return faults(area) ? 0 : 1;
}

static int make_another(struct lfv *lfv, unsigned char *area)
{
	struct lfv *own = engine_default();
	unsigned char *mine = lfv_vmalloc(own, PAGE_SIZE);

	(void)lfv;
	(void)area;
	if (mine == NULL)
		return 1;
	*mine = 1;
	lfv_destroy(own);
	return 0;
}

static void a_child_is_refused_by_every_function(void **state)
{
	struct lfv *lfv = engine_default();
	unsigned char *area = lfv_vmalloc(lfv, PAGE_SIZE);

	(void)state;
	assert_int_equal(in_child(call_everything, lfv, area), 0);
	lfv_destroy(lfv);
}

static void a_child_cannot_reach_its_parents_areas(void **state)
{
	struct lfv *lfv = engine_default();
	unsigned char *area = lfv_vmalloc(lfv, PAGE_SIZE);

	(void)state;
	*area = 99;
	assert_int_equal(in_child(touch, lfv, area), 0);
	assert_int_equal(*area, 99);
	assert_int_equal(lfv_vfree(lfv, area), 0);
	lfv_destroy(lfv);
}

static void a_child_cannot_reach_the_linear_mapping(void **state)
{
	struct lfv *lfv = engine_default();
	struct lfv_page page;

	(void)state;
	assert_int_equal(lfv_alloc_pages(lfv, 0, &page), 0);

	unsigned char *linear = lfv_page_address(lfv, page);

	assert_non_null(linear);
	*linear = 1;
	assert_int_equal(in_child(touch, lfv, linear), 0);
	lfv_destroy(lfv);
}

static void a_child_may_make_an_engine_of_its_own(void **state)
{
	struct lfv *lfv = engine_default();

	(void)state;
	assert_int_equal(in_child(make_another, lfv, NULL), 0);
	lfv_destroy(lfv);
}

enum { CHILD_SECONDS = 30 }; /* it would hang for ever */

/* with_descriptors - of a strategy whose areas have some, of a slab. */
static struct lfv_options with_descriptors(void)
{
	struct lfv_options options = TEST_OPTIONS;

	options.strategy = "nodes";
	return options;
}

static sem_t chunk_begun;
static _Atomic(bool) chunk_lingers;

/* A chunk for descriptors takes its time, in the middle of the depot. */
static void *anonymous_slowly(size_t bytes)
{
	/* relaxed: one thread asks. */
	if (bytes == SLAB_CHUNK_BYTES && swap_relaxed(&chunk_lingers, false)) {
		(void)sem_post(&chunk_begun);
		(void)usleep(50 * 1000);
	}
	return os_linux.mmap_anon(bytes);
}

static void *use_up_descriptors(void *lfv)
{
	/* relaxed: one thread asks. */
	while (load_relaxed(&chunk_lingers))
		(void)!lfv_get_vm_area(lfv, PAGE_SIZE, 0);
	return NULL;
}

/* More areas than this thread has descriptors at hand. */
static int make_many_in_time(struct lfv *lfv, unsigned char *area)
{
	(void)lfv;
	(void)area;
	(void)alarm(CHILD_SECONDS);

	const struct lfv_options options = with_descriptors();
	struct lfv *own = engine_make(&options);

	for (int i = 0; i < 1000; i++) {
		if (lfv_get_vm_area(own, PAGE_SIZE, 0) == NULL)
			return 1;
	}
	lfv_destroy(own);
	return 0;
}

static void a_child_does_not_wait_for_its_parents_threads(void **state)
{
	static struct os os;
	const struct lfv_options options = with_descriptors();
	pthread_t thread;

	(void)state;
	/* It takes the thread that the child does not have for a leak. */
	if (TSAN_ENABLED)
		skip();
	os = os_linux;
	os.mmap_anon = anonymous_slowly;

	struct lfv *lfv = engine_create(&options, &os);

	assert_non_null(lfv);
	assert_int_equal(sem_init(&chunk_begun, 0, 0), 0);
	/* relaxed: the thread is made later. */
	store_relaxed(&chunk_lingers, true);
	assert_int_equal(pthread_create(&thread, NULL, use_up_descriptors, lfv),
			 0);
	while (sem_wait(&chunk_begun) != 0)
		continue;
	assert_int_equal(in_child(make_many_in_time, lfv, NULL), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	lfv_destroy(lfv);
}

static _Atomic(bool) has_run;

static void set_has_run(struct rcu_head *head)
{
	rcu_begin_deferred(head);
	/* relaxed: the wait orders it. */
	store_relaxed(&has_run, true);
	rcu_end_deferred();
}

static bool deferred_runs(void)
{
	static struct rcu_head head;

	rcu_defer(&head, set_has_run);
	rcu_wait();
	/* relaxed: after the wait. */
	return load_relaxed(&has_run);
}

static int defer_in_time(struct lfv *lfv, unsigned char *area)
{
	(void)lfv;
	(void)area;
	(void)alarm(30);
	return deferred_runs() ? 0 : 1;
}

static void a_child_gives_memory_back_behind_readers(void **state)
{
	struct lfv *lfv = engine_default();

	(void)state;
	/* It follows no child that makes a thread. */
	if (TSAN_ENABLED)
		skip();
	assert_int_equal(rcu_init(), 0);
	assert_int_equal(in_child(defer_in_time, lfv, NULL), 0);
	assert_true(deferred_runs());
	lfv_destroy(lfv);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_child_is_refused_by_every_function),
		cmocka_unit_test(a_child_cannot_reach_its_parents_areas),
		cmocka_unit_test(a_child_cannot_reach_the_linear_mapping),
		cmocka_unit_test(a_child_may_make_an_engine_of_its_own),
		cmocka_unit_test(a_child_does_not_wait_for_its_parents_threads),
		cmocka_unit_test(a_child_gives_memory_back_behind_readers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
