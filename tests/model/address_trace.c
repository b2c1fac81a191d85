/* SPDX-License-Identifier: MIT */
/*
 * address_trace.c - what an engine answers to random requests, as text.
 *
 *	address_trace STRATEGY PLANE SEED OPERATIONS
 *
 * PLANE is `address`, where ranges are all there is, or `full`, where memory is
 * mapped into them.  The same arguments make the same requests.  Printed are
 *
 *	window START END LAZY_MAX_PAGES NODES    once, first
 *	cpu NUMBER                               from here on
 *	alloc BYTES ALIGN VSTART VEND ADDRESS    ADDRESS 0: refused
 *	free ADDRESS
 *	purge
 *	end                                      nothing is missing
 *
 * in the order of the calls, which is the order of their effects: one thread
 * works, pinned to one CPU after the other, and no worker beside it.  Numbers
 * are decimal; BYTES counts the guard page.
 *
 * Requests are made so that all rules come into play: the window runs full, so
 * that some are refused and others placed only after a purge; some are aligned,
 * some in a part of the window, some in the very place of a freed area; some
 * are longer than what pools keep, or just not.
 */
#include <lfv/lfv.h>

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	EXIT_SKIPPED = 77,
	PAGE_BYTES = 4096,
	LIVE_MAX = 800,
	PHASES = 20,       /* in turn more allocations, more frees */
	GROW_PERCENT = 75, /* allocations in a growing phase */
	SHRINK_PERCENT = 25,
	PURGE_EVERY = 1500, /* operations, on average */
	MOVE_EVERY = 200,
	NODES = 4,
};

/* Spreads the bits of small seeds: 2^64 over the golden ratio, odd. */
#define SEED_FACTOR UINT64_C(0x9E3779B97F4A7C15)

/* The smallest; its limit of lazy pages is a quarter of it. */
#define WINDOW_BYTES (UINT64_C(128) << 20)

/* Requests: one in so many is such, and how long areas are, in pages. */
enum {
	ALIGNED_EVERY = 3,
	ALIGN_SHIFTS = 8, /* 1 to 128 pages, as ioremap's */
	PART_EVERY = 8,
	SIDE_EVERY = 4,    /* of those: at the window's start, at its end */
	AGAIN_EVERY = 300, /* the very place of the area freed last */
	UNGUARDED_EVERY = 8,
	LONG_EVERY = 80,
	LIMIT_EVERY = 60,
	SHORT_PAGES = 20,
	LONG_PAGES_MIN = 200,
	LONG_PAGES = 2000,
	LIMIT_PAGES_MIN = 254, /* pools keep 256 pages, guard included */
	LIMIT_PAGES = 4,
};

#define ALIGN_BYTES_MAX ((size_t)PAGE_BYTES << (ALIGN_SHIFTS - 1))

struct range {
	uintptr_t start;
	size_t bytes;
};

struct tracer {
	struct lfv *lfv;
	bool is_full; /* plane */
	uint64_t random;
	uintptr_t start;
	uintptr_t end;
	cpu_set_t cpus; /* that this process may use */
	size_t cpu;
	size_t live_count;
	struct range live[LIVE_MAX];
	struct range freed; /* the last one; 0 bytes: none yet */
};

/* 0 to limit - 1, by xorshift64 (Marsaglia 2003). */
static uint64_t random_below(struct tracer *tracer, uint64_t limit)
{
	uint64_t x = tracer->random;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	tracer->random = x;
	return (x >> 11) % limit;
}

static bool one_in(struct tracer *tracer, uint64_t count)
{
	return random_below(tracer, count) == 0;
}

static int complain(const char *what)
{
	fprintf(stderr, "address_trace: %s: %s\n", what, lfv_last_error());
	return EXIT_FAILURE;
}

/* What a request takes of the window. */
static size_t area_bytes(const struct lfv_request *request)
{
	const size_t pages = (request->size + PAGE_BYTES - 1) / PAGE_BYTES;
	const bool has_guard = (request->flags & LFV_VM_NO_GUARD) == 0;

	return (pages + has_guard) * PAGE_BYTES;
}

/* Up to so many bytes, in whole pages. */
static size_t random_bytes(struct tracer *tracer, size_t limit)
{
	return random_below(tracer, limit / PAGE_BYTES + 1) * PAGE_BYTES;
}

/* Bound the request to a part of the window that is long enough. */
static void part_choose(struct tracer *tracer, struct lfv_request *request)
{
	const size_t bytes = area_bytes(request);
	const size_t room = tracer->end - tracer->start - bytes;
	const size_t before =
		one_in(tracer, SIDE_EVERY) ? 0 : random_bytes(tracer, room);
	const size_t after = one_in(tracer, SIDE_EVERY)
				     ? 0
				     : random_bytes(tracer, room - before);

	request->vstart = tracer->start + before;
	request->vend = tracer->end - after;
}

static size_t pages_choose(struct tracer *tracer)
{
	if (one_in(tracer, LONG_EVERY))
		return LONG_PAGES_MIN + random_below(tracer, LONG_PAGES);
	if (one_in(tracer, LIMIT_EVERY))
		return LIMIT_PAGES_MIN + random_below(tracer, LIMIT_PAGES);
	return 1 + random_below(tracer, SHORT_PAGES);
}

/*
 * The place of a freed range: a part of its very size, at the alignment that it
 * happens to have, which says where to look and fits no other hole.
 */
static struct lfv_request request_again(const struct range *freed)
{
	struct lfv_request request = LFV_REQUEST_INIT;
	const size_t natural = freed->start & (~freed->start + 1);

	request.size = freed->bytes;
	request.flags = LFV_VM_NO_GUARD;
	request.align = natural < ALIGN_BYTES_MAX ? natural : ALIGN_BYTES_MAX;
	request.vstart = freed->start;
	request.vend = freed->start + freed->bytes;
	return request;
}

static struct lfv_request request_choose(struct tracer *tracer)
{
	struct lfv_request request = LFV_REQUEST_INIT;

	if (tracer->freed.bytes > 0 && one_in(tracer, AGAIN_EVERY))
		return request_again(&tracer->freed);
	request.size = pages_choose(tracer) * PAGE_BYTES -
		       random_below(tracer, PAGE_BYTES);
	if (one_in(tracer, UNGUARDED_EVERY))
		request.flags = LFV_VM_NO_GUARD;
	if (one_in(tracer, ALIGNED_EVERY))
		request.align = (size_t)PAGE_BYTES
				<< random_below(tracer, ALIGN_SHIFTS);
	if (one_in(tracer, PART_EVERY))
		part_choose(tracer, &request);
	return request;
}

static int trace_alloc(struct tracer *tracer)
{
	const struct lfv_request request = request_choose(tracer);
	void *const address =
		tracer->is_full ? lfv_vmalloc_range(tracer->lfv, &request)
				: lfv_get_vm_area_range(tracer->lfv, &request);

	if (address)
		tracer->live[tracer->live_count++] =
			(struct range){ (uintptr_t)address,
					area_bytes(&request) };
	else if (errno != ENOMEM)
		return complain("a request");
	printf("alloc %zu %zu %ju %ju %ju\n", area_bytes(&request),
	       request.align > 0 ? request.align : 1,
	       (uintmax_t)(request.vstart ? request.vstart : tracer->start),
	       (uintmax_t)(request.vend ? request.vend : tracer->end),
	       (uintmax_t)(uintptr_t)address);
	return 0;
}

static int trace_free(struct tracer *tracer)
{
	struct range *const chosen =
		&tracer->live[random_below(tracer, tracer->live_count)];

	tracer->freed = *chosen;
	*chosen = tracer->live[--tracer->live_count];
	printf("free %ju\n", (uintmax_t)tracer->freed.start);
	if (lfv_vfree(tracer->lfv, (void *)tracer->freed.start) != 0)
		return complain("free");
	return 0;
}

static int trace_purge(struct tracer *tracer)
{
	printf("purge\n");
	return lfv_purge(tracer->lfv) == 0 ? 0 : complain("purge");
}

/* Go on on the next CPU; pools belong to CPUs. */
static int trace_move(struct tracer *tracer)
{
	cpu_set_t next;

	do {
		tracer->cpu = (tracer->cpu + 1) % CPU_SETSIZE;
	} while (!CPU_ISSET(tracer->cpu, &tracer->cpus));
	CPU_ZERO(&next);
	CPU_SET(tracer->cpu, &next);
	if (sched_setaffinity(0, sizeof(next), &next) != 0) {
		perror("address_trace: sched_setaffinity");
		return EXIT_SKIPPED;
	}
	printf("cpu %zu\n", tracer->cpu);
	return 0;
}

static int trace_step(struct tracer *tracer, bool grows)
{
	const unsigned percent = grows ? GROW_PERCENT : SHRINK_PERCENT;

	if (one_in(tracer, PURGE_EVERY))
		return trace_purge(tracer);
	if (one_in(tracer, MOVE_EVERY))
		return trace_move(tracer);
	if (tracer->live_count == 0)
		return trace_alloc(tracer);
	if (tracer->live_count == LIVE_MAX)
		return trace_free(tracer);
	return random_below(tracer, 100) < percent ? trace_alloc(tracer)
						   : trace_free(tracer);
}

static int trace(struct tracer *tracer, uint64_t operations)
{
	struct lfv_stats stats = { .struct_bytes = sizeof(stats) };

	if (lfv_get_stats(tracer->lfv, &stats) != 0)
		return complain("stats");
	printf("window %ju %ju %ju %d\n", (uintmax_t)tracer->start,
	       (uintmax_t)tracer->end, (uintmax_t)stats.lazy_max_pages, NODES);

	int status = trace_move(tracer);
	const uint64_t phase = operations / PHASES + 1;

	for (uint64_t i = 0; i < operations && status == 0; i++)
		status = trace_step(tracer, i / phase % 2 == 0);
	if (status == 0) {
		lfv_check(tracer->lfv);
		printf("end\n");
	}
	return status;
}

int main(int count, char **words)
{
	static struct tracer tracer;

	if (count != 5) {
		fprintf(stderr, "usage: address_trace STRATEGY address|full"
				" SEED OPERATIONS\n");
		return 2;
	}

	const struct lfv_options options = {
		.struct_bytes = sizeof(options),
		.strategy = words[1],
		.worker = "none",
		.window_bytes = WINDOW_BYTES,
		.memory_bytes = WINDOW_BYTES,
		.nodes = NODES,
		.cpus = 1, /* fewer lazy pages make a purge due */
		.address_plane = strcmp(words[2], "address") == 0,
	};

	/* Odd, for at 0 xorshift would stay. */
	tracer.random = (strtoull(words[3], NULL, 10) * SEED_FACTOR) | 1;
	tracer.cpu = CPU_SETSIZE - 1;
	tracer.is_full = !options.address_plane;
	if (sched_getaffinity(0, sizeof(tracer.cpus), &tracer.cpus) != 0) {
		perror("address_trace: sched_getaffinity");
		return EXIT_SKIPPED;
	}
	tracer.lfv = lfv_create(&options);
	if (!tracer.lfv)
		return complain("create");
	tracer.start = lfv_vmalloc_start(tracer.lfv);
	tracer.end = lfv_vmalloc_end(tracer.lfv);

	const int status = trace(&tracer, strtoull(words[4], NULL, 10));

	lfv_destroy(tracer.lfv);
	return status;
}
