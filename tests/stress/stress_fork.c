/* SPDX-License-Identifier: MIT */
/*
 * stress_fork.c - one thread forks in a loop while others allocate and free.
 *
 * Each child finds its parent's engine closed to it, whatever the other threads
 * were doing in that instant: every call, the ways around the table of the
 * strategy (core/fast.h) included, says whose it is.  It makes one of its own,
 * which works.  A child that waits for a lock of a thread that it does not have
 * is ended by an alarm.  The parent goes on.
 */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../unit/engine_fixture.h"

enum { THREADS = 3, FORKS = 50, HELD = 200, CHILD_SECONDS = 20 };

struct forks {
	struct lfv *lfv;
	bool address_plane;
	void *live; /* while children are made */
	_Atomic(bool) is_over;
	_Atomic(unsigned) errors;
};

static void *area_make(const struct forks *forks)
{
	return forks->address_plane ? lfv_get_vm_area(forks->lfv, PAGE_SIZE, 0)
				    : lfv_vmalloc(forks->lfv, PAGE_SIZE);
}

/* Enough of them at a time that descriptors go to the depot and come back. */
static void *churn(void *argument)
{
	struct forks *forks = argument;
	void *held[HELD];

	/* acquire [fork-over]: the last child has ended. */
	while (!load_acquire(&forks->is_over)) {
		for (size_t i = 0; i < HELD; i++)
			held[i] = area_make(forks);
		for (size_t i = 0; i < HELD; i++) {
			if (held[i] == NULL ||
			    lfv_free_vm_area(forks->lfv, held[i]) != 0)
				/* relaxed: a sum, read after the join. */
				add_relaxed(&forks->errors, 1);
		}
		if (lfv_purge(forks->lfv) != 0)
			/* relaxed: as above. */
			add_relaxed(&forks->errors, 1);
	}
	return NULL;
}

static bool is_refused(int error)
{
	return error == -EOWNERDEAD;
}

static bool is_refused_area(const void *area)
{
	return area == NULL && errno == EOWNERDEAD;
}

static int visit_none(void *context, const struct lfv_vm_info *info)
{
	(void)context;
	(void)info;
	return 1;
}

/* Each of them has a short way where areas are used again at once. */
static bool are_areas_refused(struct lfv *lfv, void *live)
{
	const struct lfv_request request = { .size = PAGE_SIZE, .node = -1 };
	struct lfv_vm_info info;

	return is_refused_area(lfv_vmalloc(lfv, 1)) &&
	       is_refused_area(lfv_vzalloc(lfv, 1)) &&
	       is_refused_area(lfv_vmalloc_align(lfv, 1, PAGE_SIZE)) &&
	       is_refused_area(lfv_vmalloc_node(lfv, 1, 0)) &&
	       is_refused_area(lfv_vmalloc_range(lfv, &request)) &&
	       is_refused_area(lfv_get_vm_area(lfv, 1, 0)) &&
	       is_refused_area(lfv_get_vm_area_range(lfv, &request)) &&
	       is_refused(lfv_vfree(lfv, live)) &&
	       is_refused(lfv_vunmap(lfv, live)) &&
	       is_refused(lfv_iounmap(lfv, live)) &&
	       is_refused(lfv_free_vm_area(lfv, live)) &&
	       is_refused(lfv_find_vm_area(lfv, live, &info));
}

static bool are_others_refused(struct lfv *lfv, void *live)
{
	struct lfv_stats stats = { .struct_bytes = sizeof(stats) };
	struct lfv_page page = { 0 };

	return is_refused(lfv_for_each_vm_area(lfv, visit_none, NULL)) &&
	       is_refused(lfv_vmallocinfo(lfv, stderr, LFV_TEXT)) &&
	       is_refused(lfv_get_stats(lfv, &stats)) &&
	       is_refused(lfv_purge(lfv)) &&
	       is_refused(lfv_vmalloc_to_frame(lfv, live, &page)) &&
	       is_refused(lfv_alloc_pages(lfv, 0, &page)) &&
	       is_refused(lfv_free_pages(lfv, page, 0)) &&
	       is_refused_area(lfv_page_address(lfv, page)) &&
	       is_refused_area(lfv_vmap(lfv, &page, 1)) &&
	       is_refused_area(lfv_ioremap(lfv, STDIN_FILENO, 0, PAGE_SIZE, 0));
}

static int child_work(const struct forks *forks)
{
	const struct lfv_options options = TEST_OPTIONS;

	(void)alarm(CHILD_SECONDS);
	if (!are_areas_refused(forks->lfv, forks->live))
		return 1;
	if (!are_others_refused(forks->lfv, forks->live))
		return 4;

	struct lfv *own = lfv_create(&options);

	if (own == NULL)
		return 2;
	for (size_t i = 0; i < HELD; i++) {
		unsigned char *area = lfv_vmalloc(own, PAGE_SIZE);

		if (area == NULL)
			return 3;
		*area = 1;
	}
	lfv_check(own);
	lfv_destroy(own);
	return 0;
}

static void fork_once(const struct forks *forks)
{
	const pid_t child = fork();
	int status = 0;

	assert_true(child >= 0);
	if (child == 0)
		_exit(child_work(forks));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void fork_all(const struct lfv_options *options)
{
	struct forks forks = {
		.lfv = engine_make(options),
		.address_plane = options->address_plane,
	};
	pthread_t threads[THREADS];

	forks.live = area_make(&forks);
	assert_non_null(forks.live);
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(
			pthread_create(&threads[i], NULL, churn, &forks), 0);
	for (int i = 0; i < FORKS; i++)
		fork_once(&forks);
	/* release [fork-over]: see churn(). */
	store_release(&forks.is_over, true);
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	/* relaxed: the threads are joined. */
	assert_int_equal(load_relaxed(&forks.errors), 0);
	assert_int_equal(lfv_vfree(forks.lfv, forks.live), 0);
	assert_int_equal(engine_stats(forks.lfv).live_areas, 0);
	lfv_check(forks.lfv);
	lfv_destroy(forks.lfv);
}

static void fork_on(const char *strategy, const char *mapping,
		    bool address_plane)
{
	struct lfv_options options = TEST_OPTIONS;

	options.strategy = strategy;
	options.mapping = mapping;
	options.cache = mapping != NULL ? "percpu" : NULL;
	options.address_plane = address_plane;
	fork_all(&options);
}

static void children_of_a_busy_parent_work(void **state)
{
	(void)state;
	fork_on("nodes", NULL, true);
	fork_on("nodes", NULL, false);
}

static void so_they_do_without_locks(void **state)
{
	(void)state;
	fork_on("lockfree", "lazy", true);
	fork_on("lockfree", "keep", true);
	fork_on("lockfree", "keep", false);
}

static void so_they_do_with_a_cache_in_front(void **state)
{
	(void)state;
	fork_on("augmented", "keep", true);
	fork_on("augmented", "keep", false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(children_of_a_busy_parent_work),
		cmocka_unit_test(so_they_do_without_locks),
		cmocka_unit_test(so_they_do_with_a_cache_in_front),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
