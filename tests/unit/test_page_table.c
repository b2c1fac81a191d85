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

#include "backing/page_table.h"
#include "base/page.h"
#include "fault/fault_os.h"

static void entries_come_back_as_they_were_set(void **state)
{
	struct page_table table;

	(void)state;
	assert_int_equal(table_init(&table, &os_linux, 4096), 0);
	for (enum pte_kind kind = PTE_EMPTY; kind <= PTE_BORROWED; kind++) {
		const struct pte set = {
			kind,
			kind >= PTE_GUARDED ? PTE_FRAME_MASK - 1 : 0,
		};

		table_set(&table, 700, 1, set);
		const struct pte got = table_get(&table, 700);

		assert_int_equal(got.kind, set.kind);
		assert_int_equal(got.frame, set.frame);
	}
	table_fini(&table);
}

static void a_run_has_ascending_frames(void **state)
{
	struct page_table table;

	(void)state;
	assert_int_equal(table_init(&table, &os_linux, 4096), 0);
	table_set(&table, 510, 4, (struct pte){ PTE_OWNED, 100 });
	assert_int_equal(table_get(&table, 509).kind, PTE_EMPTY);
	assert_int_equal(table_get(&table, 510).frame, 100);
	assert_int_equal(table_get(&table, 513).frame, 103);
	assert_int_equal(table_get(&table, 514).kind, PTE_EMPTY);
	table_fini(&table);
}

static void only_written_chunks_are_touched(void **state)
{
	struct page_table table;

	(void)state;
	assert_int_equal(table_init(&table, &os_linux, 4096), 0);
	table_set(&table, 510, 4, (struct pte){ PTE_OWNED, 100 });
	assert_true(table_is_touched(&table, 0));
	assert_true(table_is_touched(&table, 1023));
	assert_false(table_is_touched(&table, 1024));
	table_fini(&table);
}

static void kinds_that_can_be_read_are_open(void **state)
{
	(void)state;
	assert_false(pte_is_open((struct pte){ .kind = PTE_EMPTY }));
	assert_false(pte_is_open((struct pte){ .kind = PTE_GUARDED }));
	assert_true(pte_is_open((struct pte){ .kind = PTE_OWNED }));
	assert_true(pte_is_open((struct pte){ .kind = PTE_BORROWED }));
	assert_true(pte_is_open((struct pte){ .kind = PTE_FILE }));
	assert_true(pte_is_open((struct pte){ .kind = PTE_FILE_FIRST }));
}

static void no_address_space_is_an_error(void **state)
{
	struct page_table table;

	(void)state;
	for (uint64_t nth = 1; nth <= 2; nth++) {
		fault_arm(FAULT_MMAP_ANON, nth, FAULT_ONCE, 0);
		assert_int_equal(table_init(&table, &fault_os, 4096), -ENOMEM);
		fault_disarm();
		assert_null(table.entries);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries_come_back_as_they_were_set),
		cmocka_unit_test(a_run_has_ascending_frames),
		cmocka_unit_test(only_written_chunks_are_touched),
		cmocka_unit_test(kinds_that_can_be_read_are_open),
		cmocka_unit_test(no_address_space_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
