/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_child_is_refused_by_every_function),
		cmocka_unit_test(a_child_cannot_reach_its_parents_areas),
		cmocka_unit_test(a_child_cannot_reach_the_linear_mapping),
		cmocka_unit_test(a_child_may_make_an_engine_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
