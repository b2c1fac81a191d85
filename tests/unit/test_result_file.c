/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/result.h"

enum { PATH_BYTES = 128 };

static char folder[] = "/tmp/lfv-result-XXXXXX";

static int folder_make(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int folder_drop(void **state)
{
	(void)state;
	return rmdir(folder);
}

static void path_in(const char *name, char path[PATH_BYTES])
{
	snprintf(path, PATH_BYTES, "%s/%s", folder, name);
}

static void text_to(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static bool exists(const char *path)
{
	return access(path, F_OK) == 0;
}

static struct result result_of(const char *schema)
{
	return (struct result){ .root = json_pack("{s:s}", "schema", schema) };
}

static void what_is_written_replaces_what_was(void **state)
{
	char path[PATH_BYTES];
	char aside[PATH_BYTES];
	struct result result = result_of("new");

	(void)state;
	path_in("r.json", path);
	path_in("r.json.tmp", aside);
	text_to(path, "old");
	assert_int_equal(result_write(&result, path), 0);

	json_t *read = json_load_file(path, 0, NULL);

	assert_string_equal(json_string_value(json_object_get(read, "schema")),
			    "new");
	assert_false(exists(aside));
	json_decref(read);
	json_decref(result.root);
	unlink(path);
}

/* The disk is full: a limit on the size of files does the same. */
static void a_write_that_fails_leaves_what_was(void **state)
{
	char path[PATH_BYTES];
	char aside[PATH_BYTES];
	char old[8] = "";
	struct rlimit before;
	struct result result = result_of("a text longer than four bytes");

	(void)state;
	path_in("r.json", path);
	path_in("r.json.tmp", aside);
	text_to(path, "old");
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);

	const struct rlimit small = { .rlim_cur = 4,
				      .rlim_max = before.rlim_max };

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);

	const int err = result_write(&result, path);

	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(err, -EFBIG);

	FILE *file = fopen(path, "r");

	assert_non_null(fgets(old, sizeof(old), file));
	fclose(file);
	assert_string_equal(old, "old");
	assert_false(exists(aside));
	json_decref(result.root);
	unlink(path);
}

static void trying_a_path_changes_nothing(void **state)
{
	char path[PATH_BYTES];
	char aside[PATH_BYTES];

	(void)state;
	path_in("r.json", path);
	path_in("r.json.tmp", aside);
	assert_int_equal(result_try_path(path), 0);
	assert_false(exists(path));
	assert_false(exists(aside));
}

static void what_is_no_file_is_refused(void **state)
{
	char missing[PATH_BYTES];

	(void)state;
	path_in("missing/r.json", missing);
	assert_int_equal(result_try_path(folder), -EISDIR);
	assert_int_equal(result_try_path("/dev/null"), -EINVAL);
	assert_int_equal(result_try_path(missing), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_replaces_what_was),
		cmocka_unit_test(a_write_that_fails_leaves_what_was),
		cmocka_unit_test(trying_a_path_changes_nothing),
		cmocka_unit_test(what_is_no_file_is_refused),
	};

	return cmocka_run_group_tests(tests, folder_make, folder_drop);
}
