/* SPDX-License-Identifier: MIT */
/*
 * va_churn.c - threads at work on one strategy, with a stamp on every page.
 *
 * Whoever gets a range writes his tag on each of its pages, where nobody's may
 * be, and wipes it off before he frees: two owners of one page meet in its
 * stamp, whatever the strategy thinks.  The stamps order nothing (relaxed), so
 * that ThreadSanitizer sees the strategy's own ordering and no other.
 *
 * Some areas are pinned: live from the first operation to the last.  No lookup
 * and no walk may ever miss one.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/atomic.h"
#include "base/check.h"
#include "contract/va_suite.h"

enum {
	PAGES = 512, /* little: allocations fail, purge and ask again */
	SIZE_PAGES_MAX = 8,
	SLOTS = 24,    /* live areas of a thread */
	MAILBOXES = 8, /* through which areas change their thread */
	PINNED = 16,
	PURGE_STEPS = 8,
	WALK_STEPS = 256,
	BREACH_BYTES = 160,
	THREADS_MAX = 16,
	NO_PAGE = 0, /* pages are stored plus one */
};

struct churn {
	struct va va;
	const struct suite_case *test;
	pthread_barrier_t start;
	pthread_mutex_t purge; /* the core runs one at a time */
	_Atomic(uint64_t) stamps[PAGES];
	_Atomic(unsigned) mailboxes[MAILBOXES];
	unsigned pinned[PINNED];
	_Atomic(uint64_t) allocs;
	_Atomic(uint64_t) frees;
	_Atomic(unsigned) breaches;
	char text[BREACH_BYTES]; /* the first breach's thread alone */
};

struct worker {
	struct churn *churn;
	pthread_t thread;
	unsigned number;
	uint64_t random;
	uint64_t tags;
	unsigned slots[SLOTS];
};

static char breach_text[BREACH_BYTES];

#define BREACH(churn, ...)                                    \
	do {                                                  \
		if (add_relaxed(&(churn)->breaches, 1) == 0)  \
			snprintf((churn)->text, BREACH_BYTES, \
				 "churn: " __VA_ARGS__);      \
	} while (0)

/* A tag is never 0: thread + 1, pages, and a number. */
static uint64_t tag_make(struct worker *worker, unsigned pages)
{
	return (uint64_t)(worker->number + 1) << 56 | (uint64_t)pages << 40 |
	       (++worker->tags & 0xffffffffff);
}

static unsigned tag_pages(uint64_t tag)
{
	return (unsigned)(tag >> 40 & 0xffff);
}

static void stamp(struct churn *churn, unsigned page, uint64_t tag)
{
	for (unsigned i = page; i < page + tag_pages(tag); i++) {
		/* relaxed: a stamp is a witness and must order nothing. */
		const uint64_t before = swap_relaxed(&churn->stamps[i], tag);

		if (before != 0)
			BREACH(churn, "page %u has two owners", i);
	}
}

static void unstamp(struct churn *churn, unsigned page, uint64_t tag)
{
	for (unsigned i = page; i < page + tag_pages(tag); i++) {
		/* relaxed: as above. */
		if (swap_relaxed(&churn->stamps[i], 0) != tag)
			BREACH(churn, "page %u lost its owner", i);
	}
}

static struct va_request request_make(struct worker *worker)
{
	const unsigned pages = 1 + suite_below(&worker->random, SIZE_PAGES_MAX);
	struct va_request request = {
		.size = pages_to_bytes(pages),
		.align = 1,
		.vstart = suite_address(0),
		.vend = suite_address(PAGES),
		.node = -1,
		.vm = { .phys = tag_make(worker, pages) },
	};

	if (suite_below(&worker->random, 8) == 0)
		request.align = PAGE_SIZE << suite_below(&worker->random, 4);
	if (suite_below(&worker->random, 8) == 0)
		request.vstart = suite_address(PAGES / 2);
	return request;
}

static void purge(struct churn *churn, enum va_purge how)
{
	if (churn->va.ops->purge) {
		suite_purge(&churn->va, how);
		return;
	}
	pthread_mutex_lock(&churn->purge);
	suite_purge(&churn->va, how);
	pthread_mutex_unlock(&churn->purge);
}

/* A cached area has the length of its class. */
static bool is_length(const struct suite_case *test, uintptr_t bytes,
		      uintptr_t asked)
{
	return test->cached ? bytes >= asked && bytes <= asked + asked / 4
			    : bytes == asked;
}

/* As the core does: when nothing fits, purge once and ask again. */
static unsigned alloc(struct worker *worker)
{
	struct churn *const churn = worker->churn;
	struct va *const va = &churn->va;
	const struct va_request request = request_make(worker);
	struct va_range range;
	int error = suite_alloc(va, &request, &range);

	if (error == -ENOMEM && va->ops->retries) {
		purge(churn, VA_PURGE_FULL);
		error = suite_alloc(va, &request, &range);
	}
	if (error) {
		if (error != -ENOMEM)
			BREACH(churn, "alloc: error %d", error);
		return NO_PAGE;
	}

	const unsigned page = suite_page(range.start);

	if (range.start < request.vstart || range.end > request.vend ||
	    (range.start & (request.align - 1)) != 0 ||
	    !is_length(churn->test, range.end - range.start, request.size)) {
		BREACH(churn, "page %u is not what was asked for", page);
		return NO_PAGE;
	}
	stamp(churn, page, request.vm.phys);
	/* relaxed: a sum, read when the threads have ended. */
	add_relaxed(&churn->allocs, 1);
	return page + 1;
}

static void release(struct worker *worker, unsigned slot)
{
	struct churn *const churn = worker->churn;
	struct va *const va = &churn->va;
	const unsigned page = slot - 1;
	/* relaxed: this thread is the owner, or got the page's number. */
	const uint64_t tag = load_relaxed(&churn->stamps[page]);
	bool purge_due = false;

	if (tag == 0) {
		BREACH(churn, "page %u lost its owner", page);
		return;
	}
	unstamp(churn, page, tag);
	if (va->ops->free(va, suite_address(page), &purge_due))
		BREACH(churn, "free missed live page %u", page);
	if (purge_due)
		purge(churn, VA_PURGE_DECAY);
	/* relaxed: a sum, read when the threads have ended. */
	add_relaxed(&churn->frees, 1);
}

/* An interior address of a live area hits that very area. */
static void look_up(struct worker *worker, unsigned page)
{
	struct churn *const churn = worker->churn;
	/* relaxed: the area stays live throughout, so does its stamp. */
	const uint64_t tag = load_relaxed(&churn->stamps[page]);
	const unsigned bytes = tag_pages(tag) << PAGE_SHIFT;
	const uintptr_t start = suite_address(page);

	if (bytes == 0) {
		BREACH(churn, "page %u lost its owner", page);
		return;
	}

	const uintptr_t address = start + suite_below(&worker->random, bytes);
	struct va_found found;

	if (!churn->va.ops->find(&churn->va, address, &found))
		BREACH(churn, "A3: a lookup missed live page %u", page);
	else if (found.start != start || found.vm.phys != tag)
		BREACH(churn, "A3: a lookup of page %u met another", page);
	if (!churn->va.ops->find_next(&churn->va, address, &found))
		BREACH(churn, "A3: find_next missed live page %u", page);
	else if (found.start != start)
		BREACH(churn, "A3: find_next of page %u met another", page);
}

struct walk {
	struct churn *churn;
	unsigned met[PINNED];
};

static void walk_visit(void *context, const struct va_found *found)
{
	struct walk *const walk = context;

	if (walk->churn->test->linger)
		sched_yield();
	if (found->lazy)
		return;
	for (unsigned i = 0; i < PINNED; i++)
		walk->met[i] +=
			suite_page(found->start) == walk->churn->pinned[i];
}

static void walk_all(struct churn *churn)
{
	struct walk walk = { .churn = churn };

	churn->va.ops->for_each(&churn->va, walk_visit, &walk);
	for (unsigned i = 0; i < PINNED; i++) {
		if (walk.met[i] != 1)
			BREACH(churn, "a walk met live page %u %u times",
			       churn->pinned[i], walk.met[i]);
	}
}

/* Leave an area to whoever comes, and free what lies there: a remote free. */
static void exchange(struct worker *worker, unsigned *slot)
{
	_Atomic(unsigned) *const mailbox =
		&worker->churn
			 ->mailboxes[suite_below(&worker->random, MAILBOXES)];
	/* acq_rel [mailbox]: whoever gets the area may free it. */
	const unsigned got = swap_acq_rel(mailbox, *slot);

	*slot = NO_PAGE;
	if (got != NO_PAGE)
		release(worker, got);
}

static void worker_step(struct worker *worker, unsigned step)
{
	struct churn *const churn = worker->churn;
	unsigned *const slot =
		&worker->slots[suite_below(&worker->random, SLOTS)];

	if (*slot == NO_PAGE) {
		*slot = alloc(worker);
	} else if (suite_below(&worker->random, 8) == 0) {
		exchange(worker, slot);
	} else if (suite_below(&worker->random, 4) == 0) {
		look_up(worker, *slot - 1);
	} else {
		release(worker, *slot);
		*slot = NO_PAGE;
	}
	look_up(worker, churn->pinned[suite_below(&worker->random, PINNED)]);
	if (step % WALK_STEPS == 0)
		walk_all(churn);
	if (step % PURGE_STEPS == 0)
		purge(churn, VA_PURGE_DECAY);
}

static void *worker_run(void *context)
{
	struct worker *const worker = context;
	struct churn *const churn = worker->churn;

	pthread_barrier_wait(&churn->start);
	for (unsigned step = 0; step < churn->test->steps; step++) {
		/* relaxed: stops sooner, no more. */
		if (load_relaxed(&churn->breaches) > 0)
			break;
		worker_step(worker, step);
	}
	return NULL;
}

static void churn_run(struct churn *churn, uint64_t seed)
{
	static struct worker workers[THREADS_MAX];
	const unsigned threads = churn->test->threads;

	memset(workers, 0, sizeof(workers));
	pthread_barrier_init(&churn->start, NULL, threads);
	for (unsigned i = 0; i < threads; i++) {
		workers[i].churn = churn;
		workers[i].number = i;
		workers[i].random = seed * 0x9e3779b97f4a7c15 + i + 1;
		require(pthread_create(&workers[i].thread, NULL, worker_run,
				       &workers[i]) == 0);
	}
	for (unsigned i = 0; i < threads; i++)
		pthread_join(workers[i].thread, NULL);
	pthread_barrier_destroy(&churn->start);

	/* relaxed: the threads have ended. */
	if (load_relaxed(&churn->breaches) > 0)
		return;
	for (unsigned i = 0; i < threads; i++) {
		for (unsigned slot = 0; slot < SLOTS; slot++) {
			if (workers[i].slots[slot] != NO_PAGE)
				release(&workers[i], workers[i].slots[slot]);
		}
	}
	for (unsigned i = 0; i < MAILBOXES; i++) {
		/* relaxed: as above. */
		const unsigned got = load_relaxed(&churn->mailboxes[i]);

		if (got != NO_PAGE)
			release(&workers[0], got);
	}
}

/* Nothing but the pinned areas is left, and all else is a hole again. */
static void churn_settle(struct churn *churn)
{
	struct va *const va = &churn->va;
	struct va_stats stats;

	suite_purge(va, VA_PURGE_FULL);
	va->ops->stats(va, &stats);
	if (stats.live_areas != PINNED)
		BREACH(churn, "%u areas left of %u", (unsigned)stats.live_areas,
		       PINNED);
	if (stats.lazy_pages != 0)
		BREACH(churn, "A4: %u lazy pages after a purge",
		       (unsigned)stats.lazy_pages);
	if (stats.live_pages + stats.hole_pages + stats.pool_pages != PAGES)
		BREACH(churn, "A1: pages were lost");
	/* relaxed: the threads have ended. */
	if (!churn->test->ops->busted && load_relaxed(&churn->breaches) == 0)
		va->ops->check(va);
}

static void churn_pin(struct churn *churn)
{
	struct worker first = { .churn = churn, .random = 1, .number = 99 };

	for (unsigned i = 0; i < PINNED; i++)
		churn->pinned[i] = alloc(&first) - 1;
}

const char *churn_breach(const struct suite_case *test, uint64_t seed)
{
	static struct churn churn;
	const struct va_config config = suite_config(test, PAGES);

	require(test->threads <= THREADS_MAX);
	memset(&churn, 0, sizeof(churn));
	churn.test = test;
	pthread_mutex_init(&churn.purge, NULL);
	if (va_init(&churn.va, test->ops, &config))
		return "churn: init failed";
	churn_pin(&churn);
	churn_run(&churn, seed);
	/* relaxed: the threads have ended. */
	if (load_relaxed(&churn.breaches) == 0)
		churn_settle(&churn);
	va_fini(&churn.va);
	pthread_mutex_destroy(&churn.purge);
	memcpy(breach_text, churn.text, sizeof(breach_text));
	/* relaxed: as above. */
	return load_relaxed(&churn.breaches) > 0 ? breach_text : NULL;
}
