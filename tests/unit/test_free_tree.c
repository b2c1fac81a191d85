/* SPDX-License-Identifier: MIT */
/*
 * test_free_tree.c - the tree of holes: rules, fits, lowest match, merging.
 */
#include <stdlib.h>

#include "va_world.h"

#include "va/free_tree.h"

enum { PAGES = 192, HOLES_MAX = 256, STEPS = 5000 };

struct holes {
	struct free_tree tree;
	struct vmap_area pool[HOLES_MAX];
	unsigned used;
	struct vmap_area *spare; /* chain by purge_next */
};

static struct vmap_area *descriptor_take(struct holes *holes)
{
	struct vmap_area *const area = holes->spare;

	if (!area) {
		assert_true(holes->used < HOLES_MAX);
		return &holes->pool[holes->used++];
	}
	holes->spare = area->purge_next;
	return area;
}

static void descriptor_give(struct holes *holes, struct vmap_area *area)
{
	area->purge_next = holes->spare;
	holes->spare = area;
}

static struct holes *holes_begin(enum free_align_rule rule)
{
	struct holes *const holes = calloc(1, sizeof(*holes));

	assert_non_null(holes);
	free_tree_init(&holes->tree, rule);
	return holes;
}

static void hole_give(struct holes *holes, long start, long end)
{
	struct vmap_area *const area = descriptor_take(holes);

	area->va_start = address_of(start);
	area->va_end = address_of(end);
	free_tree_give(&holes->tree, area, &holes->spare);
	free_tree_check(&holes->tree);
}

/* Where the request is put, cut out of its hole; NO_PAGE: nowhere. */
static long hole_take(struct holes *holes, const struct va_request *request)
{
	uintptr_t start = 0;
	struct vmap_area *const hole =
		free_tree_find(&holes->tree, request, &start);

	if (!hole)
		return NO_PAGE;

	struct vmap_area *const left = descriptor_take(holes);
	const bool used =
		free_fit_of(hole, start, request->size) == FREE_FIT_NE;
	struct vmap_area *const gone =
		free_tree_cut(&holes->tree, hole, start, request->size, left);

	if (!used)
		descriptor_give(holes, left);
	if (gone)
		descriptor_give(holes, gone);
	free_tree_check(&holes->tree);
	return page_of(start);
}

static long take(struct holes *holes, long pages, long align, long vstart,
		 long vend)
{
	const struct va_request request =
		request_of(pages, align, vstart, vend);

	return hole_take(holes, &request);
}

/* The holes as text: "[0,4) [8,12)". */
static const char *holes_text(const struct holes *holes)
{
	static char text[1024];
	size_t length = 0;

	text[0] = '\0';
	list_for_each (link, &holes->tree.holes.list) {
		const struct vmap_area *const hole = area_of_link(link);

		length += (size_t)snprintf(text + length, sizeof(text) - length,
					   "%s[%ld,%ld)", length ? " " : "",
					   page_of(hole->va_start),
					   page_of(hole->va_end));
	}
	return text;
}

static void search_length_is_what_each_release_used(void **state)
{
	static const struct {
		enum free_align_rule rule;
		long align; /* pages; 0: one byte */
		long window;
		uintptr_t extra; /* bytes beyond the size */
	} rows[] = {
		/* 5.2 to 5.15: size + align - 1, which for 1 is size. */
		{ FREE_ALIGN_ALWAYS, 0, PAGES, 0 },
		{ FREE_ALIGN_ALWAYS, 1, PAGES, PAGE_SIZE - 1 },
		{ FREE_ALIGN_ALWAYS, 4, PAGES, 4 * PAGE_SIZE - 1 },
		{ FREE_ALIGN_ALWAYS, 4, 3, 4 * PAGE_SIZE - 1 },
		/* 5.16 and 5.17: size. */
		{ FREE_ALIGN_NEVER, 4, PAGES, 0 },
		/* 5.18: longer for more than a page... */
		{ FREE_ALIGN_UNLESS_EXACT, 0, PAGES, 0 },
		{ FREE_ALIGN_UNLESS_EXACT, 1, PAGES, 0 },
		{ FREE_ALIGN_UNLESS_EXACT, 2, PAGES, 2 * PAGE_SIZE - 1 },
		/* ...but not if the window is exactly the size. */
		{ FREE_ALIGN_UNLESS_EXACT, 4, 3, 0 },
		{ FREE_ALIGN_UNLESS_EXACT, 4, 4, 4 * PAGE_SIZE - 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct va_request request =
			request_of(3, rows[i].align, 0, rows[i].window);

		assert_int_equal(free_search_length(rows[i].rule, &request),
				 3 * PAGE_SIZE + rows[i].extra);
	}
}

static void fits_are_told_by_the_edges(void **state)
{
	static const struct {
		long start;
		long pages;
		enum free_fit fit;
	} rows[] = {
		{ 10, 10, FREE_FIT_FL },  { 10, 9, FREE_FIT_LE },
		{ 11, 9, FREE_FIT_RE },   { 11, 8, FREE_FIT_NE },
		{ 9, 2, FREE_FIT_NONE },  { 19, 2, FREE_FIT_NONE },
		{ 9, 12, FREE_FIT_NONE },
	};
	const struct vmap_area hole = { .va_start = address_of(10),
					.va_end = address_of(20) };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(
			free_fit_of(&hole, address_of(rows[i].start),
				    pages_to_bytes((size_t)rows[i].pages)),
			rows[i].fit);
}

static void cuts_leave_what_the_fit_says(void **state)
{
	struct holes *const holes = holes_begin(FREE_ALIGN_NEVER);

	(void)state;
	hole_give(holes, 0, 16);
	/* LE: the hole starts later. */
	assert_int_equal(take(holes, 3, 0, 0, PAGES), 0);
	assert_string_equal(holes_text(holes), "[3,16)");
	/* NE: 4 is the first multiple of 4; the rest on the left is new. */
	assert_int_equal(take(holes, 4, 4, 0, PAGES), 4);
	assert_string_equal(holes_text(holes), "[3,4) [8,16)");
	/* RE: 12 by alignment, up to the end. */
	assert_int_equal(take(holes, 4, 4, 9, PAGES), 12);
	assert_string_equal(holes_text(holes), "[3,4) [8,12)");
	/* FL: the whole hole goes. */
	assert_int_equal(take(holes, 1, 0, 0, PAGES), 3);
	assert_string_equal(holes_text(holes), "[8,12)");
	assert_int_equal(take(holes, 4, 0, 0, PAGES), 8);
	assert_string_equal(holes_text(holes), "");
	assert_int_equal(take(holes, 1, 0, 0, PAGES), NO_PAGE);
	free(holes);
}

/* Holes of 4 pages at 4 and, above it, 8 pages at 16 and 2 pages at 32. */
static struct holes *three_holes(enum free_align_rule rule)
{
	struct holes *const holes = holes_begin(rule);

	hole_give(holes, 16, 24); /* the root */
	hole_give(holes, 4, 8);   /* its left child */
	hole_give(holes, 32, 34); /* its right child */
	return holes;
}

static void aligned_search_passes_a_lower_hole_that_fits_exactly(void **state)
{
	struct holes *holes = three_holes(FREE_ALIGN_ALWAYS);

	(void)state;
	/* The left subtree has 4 pages, 4 + 3 are looked for: not entered. */
	assert_int_equal(take(holes, 4, 4, 0, PAGES), 16);
	free(holes);
	holes = three_holes(FREE_ALIGN_UNLESS_EXACT);
	assert_int_equal(take(holes, 4, 4, 0, PAGES), 16);
	free(holes);
	/* 5.16: by size alone it is entered, and hosts. */
	holes = three_holes(FREE_ALIGN_NEVER);
	assert_int_equal(take(holes, 4, 4, 0, PAGES), 4);
	free(holes);
}

static void exact_window_is_searched_by_size_since_5_18(void **state)
{
	struct holes *holes = three_holes(FREE_ALIGN_ALWAYS);

	(void)state;
	/* 5.10 enters the root only, which is above vend: refused. */
	assert_int_equal(take(holes, 4, 4, 4, 8), NO_PAGE);
	free(holes);
	holes = three_holes(FREE_ALIGN_UNLESS_EXACT);
	assert_int_equal(take(holes, 4, 4, 4, 8), 4);
	free(holes);
}

static void page_alignment_is_no_longer_a_reason_to_pass(void **state)
{
	struct holes *holes = three_holes(FREE_ALIGN_ALWAYS);

	(void)state;
	/* align 4096: 5.10 wants 4095 bytes more, 5.18 does not. */
	assert_int_equal(take(holes, 4, 1, 0, PAGES), 16);
	free(holes);
	holes = three_holes(FREE_ALIGN_ALWAYS);
	assert_int_equal(take(holes, 4, 0, 0, PAGES), 4);
	free(holes);
	holes = three_holes(FREE_ALIGN_UNLESS_EXACT);
	assert_int_equal(take(holes, 4, 1, 0, PAGES), 4);
	free(holes);
}

static void hole_on_the_way_is_used_though_shorter_than_the_length(void **state)
{
	struct holes *const holes = holes_begin(FREE_ALIGN_ALWAYS);

	(void)state;
	/*
	 * 4 + 3 pages are looked for.  The left subtree has no 7, the root has
	 * 4: a node that is met is asked for the size, not for the length.
	 */
	hole_give(holes, 16, 20);
	hole_give(holes, 4, 8);
	hole_give(holes, 32, 48);
	assert_int_equal(take(holes, 4, 4, 0, PAGES), 16);
	free(holes);
}

static void vstart_is_found_by_climbing(void **state)
{
	struct holes *const holes = holes_begin(FREE_ALIGN_NEVER);

	(void)state;
	/*
	 * 15 holes of 2 pages at 0, 10, 20, ...: a tree of height 4, in which
	 * the successor of a node is up and to the right as often as not.
	 */
	for (long i = 0; i < 15; i++)
		hole_give(holes, 10 * i, 10 * i + 2);
	/* Above the start of hole 30, so one page of it is left: too few. */
	assert_int_equal(take(holes, 2, 0, 31, PAGES), 40);
	assert_int_equal(take(holes, 1, 0, 71, PAGES), 71);
	assert_int_equal(take(holes, 2, 0, 72, PAGES), 80);
	/* 16 hosts at 100 only for 4-page alignment: 100 is a multiple of 4. */
	assert_int_equal(take(holes, 2, 4, 81, PAGES), 100);
	/* vend is held against the result. */
	assert_int_equal(take(holes, 2, 0, 111, 121), NO_PAGE);
	assert_int_equal(take(holes, 2, 0, 111, 122), 120);
	assert_int_equal(take(holes, 2, 0, 141, PAGES), NO_PAGE);
	free(holes);
}

static void wrapping_sums_host_nothing(void **state)
{
	struct holes *const holes = holes_begin(FREE_ALIGN_UNLESS_EXACT);
	struct va_request request = request_of(1, 1, 0, PAGES);

	(void)state;
	hole_give(holes, 1, PAGES);
	request.align = (uintptr_t)1 << 63;
	request.vend = UINTPTR_MAX;
	assert_int_equal(hole_take(holes, &request), NO_PAGE);
	/* The last page, alone and rounded up past the top. */
	request.vstart = UINTPTR_MAX - PAGE_SIZE + 1;
	request.align = 1;
	assert_int_equal(hole_take(holes, &request), NO_PAGE);
	request.align = 2 * PAGE_SIZE;
	assert_int_equal(hole_take(holes, &request), NO_PAGE);
	free(holes);
}

static void giving_merges_and_carries_the_size_up(void **state)
{
	struct holes *const holes = holes_begin(FREE_ALIGN_NEVER);

	(void)state;
	hole_give(holes, 40, 48);
	hole_give(holes, 0, 8);
	hole_give(holes, 80, 88);
	hole_give(holes, 32, 40); /* touches the next */
	assert_string_equal(holes_text(holes), "[0,8) [32,48) [80,88)");
	hole_give(holes, 8, 16); /* touches the previous */
	assert_string_equal(holes_text(holes), "[0,16) [32,48) [80,88)");
	hole_give(holes, 16, 32); /* touches both */
	assert_string_equal(holes_text(holes), "[0,48) [80,88)");
	assert_int_equal(take(holes, 48, 0, 0, PAGES), 0);
	free(holes);
}

static void stale_size_check(void *context)
{
	struct holes *const holes = context;

	area_of_rb(holes->tree.holes.root.node)->subtree_max_size += PAGE_SIZE;
	free_tree_check(&holes->tree);
}

static void overlap_give(void *context)
{
	hole_give(context, 6, 17);
}

static void check_and_give_abort_by_number(void **state)
{
	struct holes *const holes = three_holes(FREE_ALIGN_NEVER);

	(void)state;
	assert_true(aborts_saying(stale_size_check, holes, "invariant F3"));
	assert_true(aborts_saying(overlap_give, holes, "invariant T1"));
	free(holes);
}

/* The lowest aligned run of free pages at or above vstart, or NO_PAGE. */
static long map_lowest(const bool *is_hole, long pages, long align, long vstart)
{
	const long step = align ? align : 1;

	for (long at = (vstart + step - 1) / step * step; at + pages <= PAGES;
	     at += step) {
		long run = 0;

		while (run < pages && is_hole[at + run])
			run++;
		if (run == pages)
			return at;
	}
	return NO_PAGE;
}

static void map_fill(bool *is_hole, long start, long pages, bool value)
{
	for (long page = start; page < start + pages; page++) {
		assert_true(is_hole[page] != value);
		is_hole[page] = value;
	}
}

/*
 * One random take: by size alone it is the lowest; with the longer length it
 * may lie higher, but not above where a run of that length begins.
 */
static void random_take(struct holes *holes, bool *is_hole, uint64_t *random)
{
	static const long aligns[] = { 0, 1, 2, 4, 8, 16 };
	const long pages = 1 + random_below(random, 12);
	const long align = aligns[random_below(random, 6)];
	const long vstart =
		random_below(random, 3) ? 0 : random_below(random, 64);
	const long lowest = map_lowest(is_hole, pages, align, vstart);
	const long surely = map_lowest(is_hole, pages + align, 0, vstart);
	const bool exact = holes->tree.rule == FREE_ALIGN_NEVER || align == 0;
	const long got = take(holes, pages, align, vstart, PAGES);

	if (exact) {
		assert_int_equal(got, lowest);
	} else if (surely != NO_PAGE) {
		assert_in_range(got, lowest, surely + align);
	}
	if (got == NO_PAGE)
		return;
	assert_int_equal(align ? got % align : 0, 0);
	assert_true(got >= lowest && lowest != NO_PAGE);
	map_fill(is_hole, got, pages, false);
}

/* Give back a random run of taken pages. */
static void random_give(struct holes *holes, bool *is_hole, uint64_t *random)
{
	const long start = random_below(random, PAGES);
	const long limit = 1 + random_below(random, 12);
	long pages = 0;

	while (pages < limit && start + pages < PAGES &&
	       !is_hole[start + pages])
		pages++;
	if (pages == 0)
		return;
	hole_give(holes, start, start + pages);
	map_fill(is_hole, start, pages, true);
}

static void random_steps_agree_with_a_page_map(void **state)
{
	static const enum free_align_rule rules[] = { FREE_ALIGN_ALWAYS,
						      FREE_ALIGN_NEVER,
						      FREE_ALIGN_UNLESS_EXACT };

	(void)state;
	for (unsigned row = 0; row < 3; row++) {
		struct holes *const holes = holes_begin(rules[row]);
		bool is_hole[PAGES];
		uint64_t random = 0x2545f4914f6cdd1d + row;

		memset(is_hole, true, sizeof(is_hole));
		hole_give(holes, 0, PAGES);
		for (unsigned step = 0; step < STEPS; step++) {
			if (random_below(&random, 2))
				random_take(holes, is_hole, &random);
			else
				random_give(holes, is_hole, &random);
		}
		free(holes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(search_length_is_what_each_release_used),
		cmocka_unit_test(fits_are_told_by_the_edges),
		cmocka_unit_test(cuts_leave_what_the_fit_says),
		cmocka_unit_test(
			aligned_search_passes_a_lower_hole_that_fits_exactly),
		cmocka_unit_test(exact_window_is_searched_by_size_since_5_18),
		cmocka_unit_test(page_alignment_is_no_longer_a_reason_to_pass),
		cmocka_unit_test(
			hole_on_the_way_is_used_though_shorter_than_the_length),
		cmocka_unit_test(vstart_is_found_by_climbing),
		cmocka_unit_test(wrapping_sums_host_nothing),
		cmocka_unit_test(giving_merges_and_carries_the_size_up),
		cmocka_unit_test(check_and_give_abort_by_number),
		cmocka_unit_test(random_steps_agree_with_a_page_map),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
