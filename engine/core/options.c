/* SPDX-License-Identifier: MIT */
/*
 * options.c - from the names a user gives to the tables the core works with.
 *
 * Two tables rule: the axes with their choices, and the pairs that cannot work
 * together.  `lfv-bench list` prints both, lfv_create() obeys both.
 */
#include "core/options.h"

#include <errno.h>
#include <string.h>

#include "backing/window.h"
#include "base/cpu.h"
#include "base/error.h"
#include "base/page.h"
#include "va/hole_cache.h"

enum { MAGAZINE_MIN = STOCK_CAPACITY_MIN, MAGAZINE_MAX = STOCK_CAPACITY };
enum { NODES_MAX = 128, ALIASES_BYTES = 128 };

#define MEMORY_BYTES_MIN (1 * MIB)
#define MEMORY_BYTES_MAX (FRAMES_MAX * PAGE_SIZE)

/* The choices that are words alone, without a table of functions. */
static const struct lfv_choice caches[] = {
	{ .name = "none", .summary = "no hole cache in front" },
	{ .name = "percpu",
	  .summary = "freed areas of a CPU's, by size, used again whole" },
};

static const struct lfv_choice mappings[] = {
	{ .name = "lazy",
	  .summary = "unmapped by the purge, merged; reusable after it" },
	{ .name = "strict",
	  .summary = "unmapped in free: a use after free faults at once" },
	{ .name = "keep",
	  .summary = "used again at once, whole, with its frames" },
};

static const struct lfv_choice flushes[] = {
	{ .name = "remap",
	  .summary = "one PROT_NONE mmap over each merged run" },
	{ .name = "guard",
	  .summary = "guard markers over up to 1,024 runs a call" },
};

static const struct lfv_choice workers[] = {
	{ .name = "thread", .summary = "a thread of the engine's drains" },
	{ .name = "none", .summary = "whoever passes the limit drains" },
};

static const struct lfv_choice percpus[] = {
	{ .name = "auto", .summary = "rseq where it works, else cas" },
	{ .name = "rseq",
	  .summary = "restartable sequences: no atomic read-modify-write" },
	{ .name = "cas", .summary = "compare-and-swap, right everywhere" },
};

static const struct lfv_refusal refusals[] = {
	{
		.axis = LFV_AXIS_STRATEGY,
		.name = "list",
		.other_axis = LFV_AXIS_MAPPING,
		.other_name = "lazy",
		.why = "2.4 unmaps in free, under its lock; use strict",
	},
	{
		.axis = LFV_AXIS_STRATEGY,
		.name = "list-2.6.24",
		.other_axis = LFV_AXIS_MAPPING,
		.other_name = "lazy",
		.why = "2.6.24 unmaps in free, under its lock; use strict",
	},
	{
		.axis = LFV_AXIS_MAPPING,
		.name = "keep",
		.other_axis = LFV_AXIS_CACHE,
		.other_name = "none",
		.why = "what is kept lies in the cache; use cache percpu",
	},
};

/* length - of a NULL-terminated table of pointers. */
static size_t length(const void *const *table)
{
	size_t count = 0;

	while (table[count] != NULL)
		count++;
	return count;
}

static bool strategy_at(size_t index, struct lfv_choice *choice)
{
	static _Thread_local char aliases[ALIASES_BYTES];
	const struct va_ops *const *all = va_strategies();

	if (index >= length((const void *const *)all))
		return false;

	const struct va_ops *ops = all[index];

	aliases[0] = '\0';
	for (size_t i = 0; ops->aliases != NULL && ops->aliases[i] != NULL;
	     i++) {
		if (i > 0)
			strncat(aliases, " ",
				sizeof(aliases) - strlen(aliases) - 1);
		strncat(aliases, ops->aliases[i],
			sizeof(aliases) - strlen(aliases) - 1);
	}
	*choice = (struct lfv_choice){
		.name = ops->name,
		.variant = ops->variant,
		.aliases = aliases[0] == '\0' ? NULL : aliases,
		.summary = ops->summary,
		.busted = ops->busted,
		.lock_free = ops->lock_free,
		.lockless = ops->lockless,
	};
	return true;
}

static bool lock_at(size_t index, struct lfv_choice *choice)
{
	const struct lock_ops *const *all = lock_kinds();

	if (index >= length((const void *const *)all))
		return false;

	const struct lock_ops *ops = all[index];

	*choice = (struct lfv_choice){
		.name = ops->name,
		.summary = ops->summary,
		.busted = ops->busted,
		.fair = ops->fair,
	};
	return true;
}

static bool frames_at(size_t index, struct lfv_choice *choice)
{
	const struct frame_ops *const *all = frame_allocators();

	if (index >= length((const void *const *)all))
		return false;

	const struct frame_ops *ops = all[index];

	*choice = (struct lfv_choice){
		.name = ops->name,
		.summary = ops->summary,
	};
	return true;
}

/* axis - its option, and its choices: a function or a table of words. */
struct axis {
	const char *option;
	bool (*at)(size_t index, struct lfv_choice *choice);
	const struct lfv_choice *words;
	size_t count;
};

#define WORDS(table) .words = (table), .count = sizeof(table) / sizeof(*(table))

static const struct axis axes[] = {
	[LFV_AXIS_STRATEGY] = { .option = "strategy", .at = strategy_at },
	[LFV_AXIS_LOCK] = { .option = "lock", .at = lock_at },
	[LFV_AXIS_CACHE] = { .option = "cache", WORDS(caches) },
	[LFV_AXIS_FRAMES] = { .option = "frames", .at = frames_at },
	[LFV_AXIS_MAPPING] = { .option = "mapping", WORDS(mappings) },
	[LFV_AXIS_FLUSH] = { .option = "flush", WORDS(flushes) },
	[LFV_AXIS_WORKER] = { .option = "worker", WORDS(workers) },
	[LFV_AXIS_PERCPU] = { .option = "percpu", WORDS(percpus) },
};

enum { AXES = sizeof(axes) / sizeof(axes[0]) };

bool lfv_choice_at(enum lfv_axis axis, size_t index, struct lfv_choice *choice)
{
	if ((size_t)axis >= AXES)
		return false;
	if (axes[axis].at != NULL)
		return axes[axis].at(index, choice);
	if (index >= axes[axis].count)
		return false;
	*choice = axes[axis].words[index];
	return true;
}

bool lfv_refusal_at(size_t index, struct lfv_refusal *refusal)
{
	if (index >= sizeof(refusals) / sizeof(refusals[0]))
		return false;
	*refusal = refusals[index];
	return true;
}

/* word_index - the place of `name` on an axis of words, or -EINVAL. */
static int word_index(enum lfv_axis axis, const char *name)
{
	for (size_t i = 0; i < axes[axis].count; i++) {
		if (strcmp(axes[axis].words[i].name, name) == 0)
			return (int)i;
	}
	return -EINVAL;
}

static int unknown(enum lfv_axis axis, const char *name)
{
	char known[ERROR_BYTES / 2] = "";
	struct lfv_choice choice;

	for (size_t i = 0; lfv_choice_at(axis, i, &choice); i++) {
		strncat(known, " ", sizeof(known) - strlen(known) - 1);
		strncat(known, choice.name, sizeof(known) - strlen(known) - 1);
	}
	return error_set(-EINVAL, "unknown %s \"%.40s\": it is one of%s",
			 axes[axis].option, name, known);
}

static const char *or_default(const char *name, const char *otherwise)
{
	return name == NULL || name[0] == '\0' ? otherwise : name;
}

/* chosen - the names of one engine, by axis, defaults filled in. */
struct chosen {
	const char *names[AXES];
};

static int chosen_check(const struct chosen *chosen)
{
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		const struct lfv_refusal *refusal = &refusals[i];

		if (strcmp(chosen->names[refusal->axis], refusal->name) == 0 &&
		    strcmp(chosen->names[refusal->other_axis],
			   refusal->other_name) == 0) {
			return error_set(-EINVAL, "%s %s with %s %s: %s",
					 axes[refusal->axis].option,
					 refusal->name,
					 axes[refusal->other_axis].option,
					 refusal->other_name, refusal->why);
		}
	}
	return 0;
}

/* resolve_tables - the axes whose choices are tables of functions. */
static int resolve_tables(struct choices *choices, struct chosen *chosen,
			  const struct lfv_options *options)
{
	const char *strategy = or_default(options->strategy, "lockfree");
	const char *lock = or_default(options->lock, "qspin");

	choices->strategy = va_find_ops(strategy);
	if (choices->strategy == NULL)
		return unknown(LFV_AXIS_STRATEGY, strategy);

	const char *frames =
		or_default(options->frames,
			   choices->strategy->lockless ? "bitmap" : "buddy");

	choices->lock = lock_find(lock);
	if (choices->lock == NULL)
		return unknown(LFV_AXIS_LOCK, lock);
	choices->frames = frame_find_ops(frames);
	if (choices->frames == NULL)
		return unknown(LFV_AXIS_FRAMES, frames);
	chosen->names[LFV_AXIS_STRATEGY] = choices->strategy->name;
	chosen->names[LFV_AXIS_LOCK] = choices->lock->name;
	chosen->names[LFV_AXIS_FRAMES] = choices->frames->name;
	return 0;
}

/* resolve_words - the axes whose choices are words. */
static int resolve_words(struct chosen *chosen,
			 const struct lfv_options *options,
			 const struct va_ops *strategy)
{
	const struct {
		enum lfv_axis axis;
		const char *given;
		const char *otherwise;
	} words[] = {
		{ LFV_AXIS_CACHE, options->cache,
		  strategy->cached_by_default ? "percpu" : "none" },
		{ LFV_AXIS_MAPPING, options->mapping,
		  strategy->strict_reuse ? "strict" : "lazy" },
		{ LFV_AXIS_FLUSH, options->flush, "remap" },
		{ LFV_AXIS_WORKER, options->worker, "thread" },
		{ LFV_AXIS_PERCPU, options->percpu, "auto" },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		const char *name =
			or_default(words[i].given, words[i].otherwise);
		const int index = word_index(words[i].axis, name);

		if (index < 0)
			return unknown(words[i].axis, name);
		chosen->names[words[i].axis] =
			axes[words[i].axis].words[index].name;
	}
	return 0;
}

/* default_memory - a quarter of the machine's, but 1 GiB at least. */
static size_t default_memory(const struct os *os)
{
	const uint64_t quarter = os->memory_bytes() / 4;

	if (quarter < GIB)
		return GIB;
	return quarter > MEMORY_BYTES_MAX ? MEMORY_BYTES_MAX : (size_t)quarter;
}

static int resolve_numbers(struct choices *choices,
			   const struct lfv_options *options,
			   const struct os *os)
{
	choices->window_bytes = options->window_bytes != 0
					? options->window_bytes
					: WINDOW_BYTES_DEFAULT;
	choices->memory_bytes = options->memory_bytes != 0
					? options->memory_bytes
					: default_memory(os);
	choices->nodes = options->nodes;
	choices->cpus = options->cpus;
	choices->magazine = options->magazine;
	choices->hardened = options->hardened;
	choices->held_bytes_max = options->held_bytes_max;
	choices->lock_yield = !options->lock_never_yields;
	choices->address_plane = options->address_plane;
	if (choices->nodes > NODES_MAX)
		return error_set(-EINVAL,
				 "nodes is %u: at most %d; 0 for the default",
				 choices->nodes, NODES_MAX);
	if (choices->magazine != 0 && (choices->magazine < MAGAZINE_MIN ||
				       choices->magazine > MAGAZINE_MAX))
		return error_set(-EINVAL,
				 "magazine is %u: from %d to %d; 0 for the "
				 "default",
				 choices->magazine, MAGAZINE_MIN, MAGAZINE_MAX);
	if (choices->memory_bytes < MEMORY_BYTES_MIN ||
	    choices->memory_bytes > MEMORY_BYTES_MAX)
		return error_set(-EINVAL,
				 "memory_bytes is %zu: from %zu to %zu",
				 choices->memory_bytes, MEMORY_BYTES_MIN,
				 MEMORY_BYTES_MAX);
	return 0;
}

/*
 * folded_check - so many made-up CPUs that none of the machine's shares a stock
 * with another, which a section could not do.
 */
static int folded_check(unsigned cpus, const struct os *os)
{
	const struct cpu_options machines = { 0 };
	struct cpu_map map;
	const int error = cpu_map_init(&map, &machines, os);

	if (error != 0 || cpus == 0 || cpus >= map.cpu_slots)
		return error;
	return error_set(-EINVAL,
			 "percpu rseq with cpus %u: this machine's CPUs have "
			 "ids up to %u and would share stocks; use cpus %u or "
			 "more, cpus 0, or percpu auto",
			 cpus, map.cpu_slots - 1, map.cpu_slots);
}

/*
 * resolve_percpu - the member of base/percpu.h, chosen once; without a cache
 * there are no stocks to be kept, and nothing is probed.
 */
static int resolve_percpu(struct choices *choices, const char *name,
			  const struct os *os)
{
	const enum percpu_wanted wanted =
		strcmp(name, "rseq") == 0  ? PERCPU_RSEQ
		: strcmp(name, "cas") == 0 ? PERCPU_CAS
					   : PERCPU_AUTO;

	choices->percpu =
		percpu_choose(choices->cached ? wanted : PERCPU_CAS, os);
	if (choices->percpu == NULL)
		return error_set(-EOPNOTSUPP,
				 "percpu rseq: restartable sequences do not "
				 "work here (glibc 2.35 registers them, unless "
				 "GLIBC_TUNABLES forbids it); use auto");
	return choices->cached && wanted == PERCPU_RSEQ
		       ? folded_check(choices->cpus, os)
		       : 0;
}

static int resolve(struct choices *choices, struct chosen *chosen,
		   const struct lfv_options *options, const struct os *os)
{
	*choices = (struct choices){ 0 };
	if (options->struct_bytes != sizeof(*options))
		return error_set(
			-EINVAL,
			"options of %zu bytes, this library's have %zu: begin "
			"with LFV_OPTIONS_INIT and build with this header",
			options->struct_bytes, sizeof(*options));

	int error = resolve_tables(choices, chosen, options);

	if (error == 0)
		error = resolve_words(chosen, options, choices->strategy);
	if (error == 0)
		error = chosen_check(chosen);
	if (error == 0)
		error = resolve_numbers(choices, options, os);
	if (error != 0)
		return error;
	choices->cache = chosen->names[LFV_AXIS_CACHE];
	choices->cached = strcmp(chosen->names[LFV_AXIS_CACHE], "percpu") == 0;
	choices->strict =
		strcmp(chosen->names[LFV_AXIS_MAPPING], "strict") == 0;
	choices->keep = strcmp(chosen->names[LFV_AXIS_MAPPING], "keep") == 0;
	choices->flush = strcmp(chosen->names[LFV_AXIS_FLUSH], "guard") == 0
				 ? MAP_FLUSH_GUARD
				 : MAP_FLUSH_REMAP;
	choices->has_worker =
		strcmp(chosen->names[LFV_AXIS_WORKER], "thread") == 0;
	return resolve_percpu(choices, chosen->names[LFV_AXIS_PERCPU], os);
}

int choices_resolve(struct choices *choices, const struct lfv_options *options,
		    const struct os *os)
{
	struct chosen chosen;

	return resolve(choices, &chosen, options, os);
}

int lfv_options_check(const struct lfv_options *options,
		      struct lfv_options *resolved)
{
	const struct lfv_options defaults = LFV_OPTIONS_INIT;
	struct choices choices;
	struct chosen chosen;

	if (options == NULL)
		options = &defaults;

	const int error = resolve(&choices, &chosen, options, &os_linux);

	if (error != 0 || resolved == NULL)
		return error;
	*resolved = *options;
	resolved->strategy = chosen.names[LFV_AXIS_STRATEGY];
	resolved->lock = chosen.names[LFV_AXIS_LOCK];
	resolved->cache = chosen.names[LFV_AXIS_CACHE];
	resolved->frames = chosen.names[LFV_AXIS_FRAMES];
	resolved->mapping = chosen.names[LFV_AXIS_MAPPING];
	resolved->flush = chosen.names[LFV_AXIS_FLUSH];
	resolved->worker = chosen.names[LFV_AXIS_WORKER];
	resolved->percpu = chosen.names[LFV_AXIS_PERCPU];
	resolved->window_bytes = choices.window_bytes;
	resolved->memory_bytes = choices.memory_bytes;
	return 0;
}
