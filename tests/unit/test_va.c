/* SPDX-License-Identifier: MIT */
/*
 * test_va.c - the registry of strategies, and how one is made.
 */
#include <string.h>

#include "base/percpu.h"
#include "unit/va_sequence.h"
#include "va/cached.h"

static void aliases_are_the_releases_of_linux(void **state)
{
	(void)state;
	assert_ptr_equal(va_find_ops("linux-2.4"), &va_list_24);
	assert_ptr_equal(va_find_ops("linux-2.6.28"), &va_rbtree_2628);
	assert_ptr_equal(va_find_ops("linux-4.19"), &va_rbtree);
	assert_ptr_equal(va_find_ops("linux-5.10"), &va_augmented_510);
	assert_ptr_equal(va_find_ops("linux-6.1"), &va_augmented);
	assert_ptr_equal(va_find_ops("linux-6.12"), &va_nodes);
}

static void a_name_that_is_none_finds_nothing(void **state)
{
	(void)state;
	assert_null(va_find_ops("linux-0.01"));
	assert_null(va_find_ops(""));
	assert_null(va_find_ops("lis"));
}

static void rows_come_in_the_order_of_their_history(void **state)
{
	(void)state;
	static const char *const names[] = {
		"list",           "list-2.6.24", "rbtree-2.6.28", "rbtree",
		"augmented-5.10", "augmented",   "nodes",         "rcu",
		"lockfree",       "busted",
	};
	const struct va_ops *const *const rows = va_strategies();

	for (size_t i = 0; i < COUNT_OF(names); i++)
		assert_string_equal(rows[i]->name, names[i]);
	assert_null(rows[COUNT_OF(names)]);
}

static void every_row_is_found_by_its_name_and_its_variant(void **state)
{
	(void)state;
	for (const struct va_ops *const *row = va_strategies(); *row; row++) {
		assert_ptr_equal(va_find_ops((*row)->name), *row);
		assert_ptr_equal(va_find_ops((*row)->variant), *row);
		assert_true(strlen((*row)->summary) > 0);
	}
}

/*
 * An os table that counts what a strategy maps and gives back.  Static: the
 * slab of the descriptors outlives each strategy.
 */
static struct os counting_os;
static size_t mapped_bytes;
static bool no_memory;

static void *counted_mmap(size_t bytes)
{
	if (no_memory)
		return NULL;
	mapped_bytes += bytes;
	return os_linux.mmap_anon(bytes);
}

static void counted_munmap(void *base, size_t bytes)
{
	mapped_bytes -= bytes;
	os_linux.munmap_anon(base, bytes);
}

static struct va_config counted_config(void)
{
	static const struct sequence sequence = { .pages = 64 };
	static const struct cpu_options all = { 0 };
	static struct cpu_map cpus;
	struct va_config config = sequence_config(&sequence);

	assert_int_equal(cpu_map_init(&cpus, &all, &os_linux), 0);
	config.cpu_map = &cpus;
	config.percpu = &percpu_cas;
	counting_os = os_linux;
	counting_os.mmap_anon = counted_mmap;
	counting_os.munmap_anon = counted_munmap;
	config.os = &counting_os;
	return config;
}

static void gives_back_all(const struct va_config *config)
{
	for (const struct va_ops *const *row = va_strategies(); *row; row++) {
		struct va va;

		/* The first of all may stock up the slab for good. */
		assert_int_equal(va_init(&va, *row, config), 0);
		va_fini(&va);
		mapped_bytes = 0;
		assert_int_equal(va_init(&va, *row, config), 0);
		assert_true(mapped_bytes >= (config->cached
						     ? cached_state_bytes()
						     : (*row)->state_bytes));
		assert_int_equal((uintptr_t)va.state % FALSE_SHARING_BYTES, 0);
		va_fini(&va);
		assert_int_equal(mapped_bytes, 0);
	}
}

static void a_strategy_gives_back_all_that_it_mapped(void **state)
{
	struct va_config config = counted_config();

	(void)state;
	gives_back_all(&config);
	config.cached = true;
	gives_back_all(&config);
}

static void without_memory_no_strategy_is_made(void **state)
{
	(void)state;
	const struct va_config config = counted_config();
	struct va va;

	no_memory = true;
	assert_int_equal(va_init(&va, &va_rbtree, &config), -ENOMEM);
	no_memory = false;
}

/* The n-th lock cannot be made. */
static unsigned locks_left;
static unsigned locks_made;

static int scarce_init(struct lock *lock)
{
	(void)lock;
	if (locks_left == 0)
		return -EAGAIN;
	locks_left--;
	locks_made++;
	return 0;
}

static void scarce_fini(struct lock *lock)
{
	(void)lock;
	locks_made--;
}

static void a_lock_that_cannot_be_made_undoes_all_before_it(void **state)
{
	(void)state;
	static const struct lock_ops scarce = {
		.name = "scarce",
		.init = scarce_init,
		.fini = scarce_fini,
	};
	static const struct va_ops *const rows[] = {
		&va_list_24,
		&va_rbtree_2628,
		&va_rbtree,
	};
	struct va_config config = counted_config();

	config.lock = &scarce;
	mapped_bytes = 0;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		/* Both of two locks, in turn; rbtree has one. */
		const unsigned locks = rows[i] == &va_rbtree ? 1 : 2;

		for (unsigned left = 0; left < locks; left++) {
			struct va va;

			locks_left = left;
			assert_int_equal(va_init(&va, rows[i], &config),
					 -EAGAIN);
			assert_int_equal(locks_made, 0);
			assert_int_equal(mapped_bytes, 0);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(aliases_are_the_releases_of_linux),
		cmocka_unit_test(a_name_that_is_none_finds_nothing),
		cmocka_unit_test(rows_come_in_the_order_of_their_history),
		cmocka_unit_test(
			every_row_is_found_by_its_name_and_its_variant),
		cmocka_unit_test(a_strategy_gives_back_all_that_it_mapped),
		cmocka_unit_test(without_memory_no_strategy_is_made),
		cmocka_unit_test(
			a_lock_that_cannot_be_made_undoes_all_before_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
