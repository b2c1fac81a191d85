/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "base/error.h"
#include "engine_fixture.h"

static void the_error_comes_back_and_the_text_stays(void **state)
{
	(void)state;
	assert_int_equal(error_set(-EINVAL, "size is %d", 7), -EINVAL);
	assert_string_equal(error_text(), "size is 7");
}

static void a_long_text_is_cut(void **state)
{
	char text[2 * ERROR_BYTES];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(error_set(-EIO, "%s", text), -EIO);
	assert_int_equal(strlen(error_text()), ERROR_BYTES - 1);
}

static void *text_of_this_thread(void *argument)
{
	(void)argument;
	return strlen(error_text()) == 0 ? NULL : (void *)1;
}

static void each_thread_has_a_text_of_its_own(void **state)
{
	pthread_t thread;
	void *result = (void *)1;

	(void)state;
	assert_int_equal(error_set(-EINVAL, "mine"), -EINVAL);
	assert_int_equal(
		pthread_create(&thread, NULL, text_of_this_thread, NULL), 0);
	assert_int_equal(pthread_join(thread, &result), 0);
	assert_null(result);
	assert_string_equal(error_text(), "mine");
}

static void each_message_is_counted(void **state)
{
	const unsigned before = error_count();

	(void)state;
	assert_string_not_equal(error_text(), "same");
	assert_int_equal(error_set(-EIO, "same"), -EIO);
	assert_int_equal(error_set(-EIO, "same"), -EIO);
	assert_int_equal(error_count(), before + 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_error_comes_back_and_the_text_stays),
		cmocka_unit_test(a_long_text_is_cut),
		cmocka_unit_test(each_thread_has_a_text_of_its_own),
		cmocka_unit_test(each_message_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
