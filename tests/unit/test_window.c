/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include <sys/resource.h>
#include <sys/wait.h>

#include "backing/window.h"
#include "base/error.h"
#include "fault/fault_os.h"

static void the_window_is_where_it_says(void **state)
{
	struct window window;

	(void)state;
	assert_int_equal(window_init(&window, &os_linux, WINDOW_BYTES_DEFAULT),
			 0);
	assert_int_equal(window.end - window.start, WINDOW_BYTES_DEFAULT);
	assert_int_equal(window.start % WINDOW_ALIGN_BYTES, 0);
	/* It is taken: nobody else gets it. */
	assert_int_equal(os_linux.reserve((void *)window.start, PAGE_SIZE),
			 -EEXIST);
	assert_int_equal(
		os_linux.reserve((void *)(window.end - PAGE_SIZE), PAGE_SIZE),
		-EEXIST);
	window_fini(&window);
}

static void two_windows_lie_at_different_places(void **state)
{
	struct window one;
	struct window two;

	(void)state;
	assert_int_equal(window_init(&one, &os_linux, WINDOW_BYTES_MIN), 0);
	assert_int_equal(one.start % WINDOW_BYTES_MIN, 0);
	assert_int_equal(window_init(&two, &os_linux, WINDOW_BYTES_MIN), 0);
	assert_true(one.end <= two.start || two.end <= one.start);
	window_fini(&one);
	window_fini(&two);
}

static void sizes_out_of_bounds_are_refused(void **state)
{
	struct window window;

	(void)state;
	assert_int_equal(
		window_init(&window, &os_linux, WINDOW_BYTES_MIN - PAGE_SIZE),
		-EINVAL);
	assert_non_null(strstr(error_text(), "128 MiB"));
	assert_int_equal(
		window_init(&window, &os_linux, WINDOW_BYTES_MAX + PAGE_SIZE),
		-EINVAL);
	assert_int_equal(window_init(&window, &os_linux, WINDOW_BYTES_MIN + 1),
			 -EINVAL);
}

static void a_place_that_is_taken_is_not_the_last_try(void **state)
{
	struct window window;

	(void)state;
	fault_arm(FAULT_RESERVE, 1, FAULT_ONCE, -EEXIST);
	assert_int_equal(window_init(&window, &fault_os, WINDOW_BYTES_MIN), 0);
	fault_disarm();
	window_fini(&window);
	/* Above the top of a machine with fewer bits of address. */
	fault_arm(FAULT_RESERVE, 1, FAULT_ONCE, -ENOMEM);
	assert_int_equal(window_init(&window, &fault_os, WINDOW_BYTES_MIN), 0);
	fault_disarm();
	window_fini(&window);
}

static void no_place_at_all_is_an_error(void **state)
{
	struct window window;

	(void)state;
	fault_arm(FAULT_RESERVE, 1, FAULT_FROM_THEN_ON, -EEXIST);
	assert_int_equal(window_init(&window, &fault_os, WINDOW_BYTES_MIN),
			 -ENOMEM);
	fault_arm(FAULT_RESERVE, 1, FAULT_FROM_THEN_ON, -ENOMEM);
	assert_int_equal(window_init(&window, &fault_os, WINDOW_BYTES_MIN),
			 -ENOMEM);
	fault_arm(FAULT_RANDOM, 1, FAULT_ONCE, 0);
	assert_int_equal(window_init(&window, &fault_os, WINDOW_BYTES_MIN),
			 -ENOSYS);
	fault_disarm();
	assert_non_null(strstr(error_text(), "random"));
}

static bool is_refused_by_address_limit(void)
{
	struct rlimit limit;
	struct window window;

	(void)getrlimit(RLIMIT_AS, &limit);
	limit.rlim_cur = (rlim_t)os_linux.address_bytes() + WINDOW_BYTES_MIN;
	if (setrlimit(RLIMIT_AS, &limit) != 0)
		return false;
	return window_init(&window, &os_linux, 2 * WINDOW_BYTES_MIN) ==
		       -ENOMEM &&
	       strstr(error_text(), "RLIMIT_AS") != NULL;
}

static void the_limit_of_the_process_is_named(void **state)
{
	int status;
	const pid_t child = fork();

	(void)state;
	assert_true(child >= 0);
	if (child == 0)
		_exit(is_refused_by_address_limit() ? 0 : 1);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_window_is_where_it_says),
		cmocka_unit_test(two_windows_lie_at_different_places),
		cmocka_unit_test(sizes_out_of_bounds_are_refused),
		cmocka_unit_test(a_place_that_is_taken_is_not_the_last_try),
		cmocka_unit_test(no_place_at_all_is_an_error),
		cmocka_unit_test(the_limit_of_the_process_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
