/* SPDX-License-Identifier: MIT */
/*
 * test_vmap_pool.c - pools: exact sizes, last in first out, one look, decay.
 */
#include <stdlib.h>

#include "va_world.h"

#include "va/vmap_node.h"

enum { PAGES = 4096 };

static struct vmap_node *node_begin(void)
{
	const struct va_config config = { .os = &os_linux,
					  .lock = lock_find("pthread-spin") };
	struct vmap_node *const node =
		aligned_alloc(FALSE_SHARING_BYTES, sizeof(*node));

	assert_non_null(node);
	memset(node, 0, sizeof(*node));
	assert_int_equal(vmap_node_init(node, &config), 0);
	return node;
}

static void node_end(struct vmap_node *node)
{
	vmap_node_check(node);
	vmap_node_fini(node);
	free(node);
}

static bool give(struct vmap_node *node, long start, long pages)
{
	struct vmap_area *const area = area_take(&os_linux);

	assert_non_null(area);
	area->va_start = address_of(start);
	area->va_end = address_of(start + pages);

	const bool given = vmap_pool_give(node, area);

	if (!given)
		area_give(area);
	vmap_node_check(node);
	return given;
}

static long take(struct vmap_node *node, long pages, long align)
{
	const struct va_request request = request_of(pages, align, 0, PAGES);
	struct vmap_area *const area = vmap_pool_take(node, &request);
	long page = NO_PAGE;

	if (area) {
		page = page_of(area->va_start);
		area_give(area);
	}
	vmap_node_check(node);
	return page;
}

static size_t pool_len(const struct vmap_node *node, long pages)
{
	return load_relaxed(&node->pools[pages - 1].len);
}

static uint64_t rounds(struct vmap_node *node)
{
	return load_relaxed(&node->pool_lock.entered);
}

static void range_given_last_is_taken_first(void **state)
{
	struct vmap_node *const node = node_begin();

	(void)state;
	assert_true(give(node, 10, 2));
	assert_true(give(node, 20, 2));
	assert_true(give(node, 30, 3));
	assert_int_equal(take(node, 2, 0), 20);
	assert_int_equal(take(node, 2, 0), 10);
	assert_int_equal(take(node, 2, 0), NO_PAGE);
	assert_int_equal(take(node, 3, 0), 30); /* sizes do not mix */
	node_end(node);
}

static void pools_keep_1_to_256_pages(void **state)
{
	struct vmap_node *const node = node_begin();

	(void)state;
	assert_true(give(node, 0, 1));
	assert_true(give(node, 1000, 256));
	assert_false(give(node, 2000, 257));
	assert_int_equal(take(node, 257, 0), NO_PAGE);
	assert_int_equal(take(node, 255, 0), NO_PAGE);
	assert_int_equal(take(node, 256, 0), 1000);
	assert_int_equal(take(node, 1, 0), 0);
	node_end(node);
}

static void misaligned_first_range_goes_to_the_end_and_misses(void **state)
{
	struct vmap_node *const node = node_begin();

	(void)state;
	assert_true(give(node, 16, 2));
	assert_true(give(node, 9, 2));
	assert_true(give(node, 5, 2));               /* 5, 9, 16 */
	assert_int_equal(take(node, 2, 8), NO_PAGE); /* 9, 16, 5 */
	assert_int_equal(take(node, 2, 8), NO_PAGE); /* 16, 5, 9 */
	assert_int_equal(pool_len(node, 2), 3);
	assert_int_equal(take(node, 2, 8), 16);
	assert_int_equal(take(node, 2, 0), 5);
	node_end(node);
}

static void empty_pool_is_seen_without_the_lock(void **state)
{
	struct vmap_node *const node = node_begin();
	const uint64_t before = rounds(node);

	(void)state;
	assert_int_equal(take(node, 2, 0), NO_PAGE);
	assert_int_equal(take(node, 300, 0), NO_PAGE);
	assert_int_equal(rounds(node) - before, 0);
	assert_true(give(node, 16, 2));
	assert_int_equal(take(node, 2, 0), 16);
	assert_int_equal(rounds(node) - before, 2);
	node_end(node);
}

/* The chain as text: "[0,4) [8,12)"; gives the descriptors back. */
static const char *chain_text(struct vmap_area *chain)
{
	static char text[512];
	size_t length = 0;

	text[0] = '\0';
	for (const struct vmap_area *area = chain; area;
	     area = area->purge_next)
		length += (size_t)snprintf(text + length, sizeof(text) - length,
					   "%s[%ld,%ld)", length ? " " : "",
					   page_of(area->va_start),
					   page_of(area->va_end));
	area_chain_give(chain);
	return text;
}

static void quarter_of_each_pool_decays_from_its_head(void **state)
{
	struct vmap_node *const node = node_begin();

	(void)state;
	for (long i = 0; i < 9; i++)
		assert_true(give(node, 10 * i, 2));
	for (long i = 0; i < 3; i++)
		assert_true(give(node, 200 + 10 * i, 3));
	/* 9 >> 2 is 2: the two given last.  3 >> 2 is 0. */
	assert_string_equal(chain_text(vmap_pool_decay(node, VA_PURGE_DECAY)),
			    "[70,72) [80,82)");
	assert_int_equal(pool_len(node, 2), 7);
	assert_int_equal(pool_len(node, 3), 3);
	vmap_node_check(node);
	assert_int_equal(take(node, 2, 0), 60); /* order is kept */
	node_end(node);
}

static void full_decay_empties_all_pools(void **state)
{
	struct vmap_node *const node = node_begin();

	(void)state;
	assert_true(give(node, 10, 2));
	assert_true(give(node, 30, 256));
	assert_string_equal(chain_text(vmap_pool_decay(node, VA_PURGE_FULL)),
			    "[10,12) [30,286)");
	assert_int_equal(pool_len(node, 2), 0);
	assert_int_equal(pool_len(node, 256), 0);
	assert_null(vmap_pool_decay(node, VA_PURGE_FULL));
	node_end(node);
}

static void decayed_ranges_are_merged_among_themselves(void **state)
{
	struct vmap_node *const node = node_begin();

	(void)state;
	assert_true(give(node, 10, 2)); /* across pools too */
	assert_true(give(node, 15, 5));
	assert_true(give(node, 12, 3));
	assert_true(give(node, 21, 1));
	assert_string_equal(chain_text(vmap_pool_decay(node, VA_PURGE_FULL)),
			    "[10,20) [21,22)");
	node_end(node);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(range_given_last_is_taken_first),
		cmocka_unit_test(pools_keep_1_to_256_pages),
		cmocka_unit_test(
			misaligned_first_range_goes_to_the_end_and_misses),
		cmocka_unit_test(empty_pool_is_seen_without_the_lock),
		cmocka_unit_test(quarter_of_each_pool_decays_from_its_head),
		cmocka_unit_test(full_decay_empties_all_pools),
		cmocka_unit_test(decayed_ranges_are_merged_among_themselves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
