/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/os_proc.h"

static const char path[] = "/proc/self/fd/";

/* file_make - a file of that text; its path goes into `name`. */
static int file_make(const char *text, char *name, size_t bytes)
{
	const int fd = memfd_create("text", 0);
	const size_t length = strlen(text);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, length), length);
	(void)snprintf(name, bytes, "%s%d", path, fd);
	return fd;
}

static const char interrupts[] =
	"           CPU0       CPU1       \n"
	"  1:          9         10   IO-APIC   1-edge      i8042\n"
	"TLB:: 7 7\n"
	"TLBX:         7          7   not this one\n"
	"NMI:          0          1   Non-maskable interrupts\n"
	"TLB:    4000000000    300   TLB shootdowns\n"
	"ERR:          5\n";

static void the_numbers_of_a_row_are_summed(void **state)
{
	char name[64];
	uint64_t sum = 0;
	const int fd = file_make(interrupts, name, sizeof(name));

	(void)state;
	assert_true(proc_row_sum(name, "TLB:", &sum));
	assert_true(sum == 4000000300);
	assert_true(proc_row_sum(name, "1:", &sum));
	assert_int_equal(sum, 19);
	assert_true(proc_row_sum(name, "ERR:", &sum));
	assert_int_equal(sum, 5);
	close(fd);
}

static void a_row_that_is_not_there_leaves_the_sum_alone(void **state)
{
	char name[64];
	uint64_t sum = 7;
	const int fd = file_make(interrupts, name, sizeof(name));

	(void)state;
	assert_false(proc_row_sum(name, "TLBXX:", &sum));
	assert_false(proc_row_sum("/nonexistent", "TLB:", &sum));
	assert_int_equal(sum, 7);
	close(fd);
}

static void lines_are_counted(void **state)
{
	char name[64];
	const int fd = file_make(interrupts, name, sizeof(name));

	(void)state;
	assert_int_equal(proc_line_count(name), 7);
	assert_int_equal(proc_line_count("/nonexistent"), 0);
	close(fd);
}

static void a_file_longer_than_the_buffer_is_read_whole(void **state)
{
	char text[3 * 4096 + 16];
	char name[64];
	uint64_t sum = 0;

	(void)state;
	memset(text, 'x', sizeof(text));
	/* The row lies across the end of the buffer. */
	memcpy(text + 4090, "\nTLB: 12345 678\n", 16);
	text[sizeof(text) - 1] = '\0';
	const int fd = file_make(text, name, sizeof(name));

	assert_true(proc_row_sum(name, "TLB:", &sum));
	assert_int_equal(sum, 12345 + 678);
	close(fd);
}

static void the_first_number_of_a_file_is_found(void **state)
{
	char name[64];
	uint64_t number = 0;
	int fd = file_make("  65530\n", name, sizeof(name));

	(void)state;
	assert_true(proc_first_number(name, &number));
	assert_int_equal(number, 65530);
	close(fd);
	fd = file_make("none\n", name, sizeof(name));
	assert_false(proc_first_number(name, &number));
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_numbers_of_a_row_are_summed),
		cmocka_unit_test(a_row_that_is_not_there_leaves_the_sum_alone),
		cmocka_unit_test(lines_are_counted),
		cmocka_unit_test(a_file_longer_than_the_buffer_is_read_whole),
		cmocka_unit_test(the_first_number_of_a_file_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
