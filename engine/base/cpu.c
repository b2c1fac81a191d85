/* SPDX-License-Identifier: MIT */
/*
 * cpu.c - the kernel's lists of CPUs and nodes, and the thread's own CPU.
 *
 * The CPU is read from the rseq area that glibc (2.35 and later) registers for
 * each thread: the kernel writes the number there whenever it puts the thread
 * on a CPU, so that asking is one load.  Where it is not registered (an older
 * libc, a tunable, valgrind) sched_getcpu() is asked.
 */
#include "base/cpu.h"

#include <ctype.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/atomic.h"
#include "base/check.h"
#include "base/os.h"
#include "base/rseq.h"

enum {
	ID_WORD_BITS = 64,
	PATH_BYTES = 64,
	LIST_BYTES = 16 * 1024, /* the longest list of 8192 ids with gaps */
};

/* rseq_cpu - the kernel's word, or -1 where this thread is not registered. */
static int rseq_cpu(void)
{
	if (!rseq_is_registered())
		return -1;

	char *const area = rseq_area(rseq_offset());
	_Atomic(uint32_t) *const cpu =
		(_Atomic(uint32_t) *)(void *)(area + RSEQ_CPU_ID);

	/* relaxed: a hint; the kernel writes it on this very CPU. */
	return (int)load_relaxed(cpu);
}

struct cpu_id cpu_current(void)
{
	int cpu = rseq_cpu();

	if (cpu < 0)
		cpu = sched_getcpu();
	/* Neither: any answer is right for a hint. */
	return (struct cpu_id){ cpu < 0 ? 0 : (unsigned)cpu };
}

bool id_set_has(const struct id_set *set, unsigned id)
{
	return id < CPU_IDS_MAX &&
	       (set->words[id / ID_WORD_BITS] >> id % ID_WORD_BITS & 1) != 0;
}

static void id_set_add(struct id_set *set, unsigned id)
{
	set->words[id / ID_WORD_BITS] |= UINT64_C(1) << id % ID_WORD_BITS;
}

unsigned id_set_count(const struct id_set *set)
{
	unsigned count = 0;

	for (unsigned i = 0; i < CPU_IDS_MAX / ID_WORD_BITS; i++)
		count += (unsigned)__builtin_popcountll(set->words[i]);
	return count;
}

unsigned id_set_slots(const struct id_set *set)
{
	for (unsigned id = CPU_IDS_MAX; id > 0; id--) {
		if (id_set_has(set, id - 1))
			return id;
	}
	return 0;
}

/* parse_id - digits of a number below `limit`; moves `text` past them. */
static int parse_id(const char **text, unsigned limit, unsigned *id)
{
	unsigned value = 0;

	if (!isdigit((unsigned char)**text))
		return -EINVAL;
	for (; isdigit((unsigned char)**text); *text += 1) {
		value = value * 10 + (unsigned)(**text - '0');
		if (value >= limit)
			return -EINVAL;
	}
	*id = value;
	return 0;
}

/* parse_range - "3" or "0-3"; moves `text` past it. */
static int parse_range(const char **text, unsigned limit, struct id_set *set)
{
	unsigned first;
	unsigned last;

	if (parse_id(text, limit, &first) != 0)
		return -EINVAL;
	last = first;
	if (**text == '-') {
		*text += 1;
		if (parse_id(text, limit, &last) != 0 || last < first)
			return -EINVAL;
	}
	for (unsigned id = first; id <= last; id++)
		id_set_add(set, id);
	return 0;
}

int id_set_parse(const char *text, unsigned limit, struct id_set *set)
{
	struct id_set result = { 0 };
	const char *rest = text + strspn(text, " \t\n");

	assert(limit <= CPU_IDS_MAX);
	while (*rest != '\0') {
		if (parse_range(&rest, limit, &result) != 0)
			return -EINVAL;
		if (*rest == ',' && isdigit((unsigned char)rest[1])) {
			rest++;
			continue;
		}
		rest += strspn(rest, " \t\n");
		if (*rest != '\0')
			return -EINVAL;
	}
	*set = result;
	return 0;
}

/* read_set - the list in a file of /sys; false when there is no such list. */
static bool read_set(const struct os *os, const char *path, unsigned limit,
		     struct id_set *set)
{
	char text[LIST_BYTES];

	return os->read_text(path, text, sizeof(text)) == 0 &&
	       id_set_parse(text, limit, set) == 0 && id_set_slots(set) > 0;
}

struct cpu_count {
	unsigned cpus;
	unsigned slots;
};

/* find_cpus - the possible CPUs, or as many as libc knows of. */
static struct cpu_count find_cpus(const struct os *os)
{
	struct id_set set;

	if (read_set(os, "/sys/devices/system/cpu/possible", CPU_IDS_MAX, &set))
		return (struct cpu_count){ id_set_count(&set),
					   id_set_slots(&set) };

	const long known = sysconf(_SC_NPROCESSORS_CONF);
	const unsigned cpus = known < 1             ? 1
			      : known > CPU_IDS_MAX ? CPU_IDS_MAX
						    : (unsigned)known;

	return (struct cpu_count){ cpus, cpus };
}

/* find_node_cpus - note the node of each CPU that lies on it. */
static void find_node_cpus(struct cpu_map *map, unsigned node,
			   const struct os *os)
{
	struct id_set cpus;
	char path[PATH_BYTES];

	(void)snprintf(path, sizeof(path),
		       "/sys/devices/system/node/node%u/cpulist", node);
	if (!read_set(os, path, CPU_IDS_MAX, &cpus))
		return; /* offline, or memory without CPUs */
	for (unsigned cpu = 0; cpu < map->cpu_slots; cpu++) {
		if (id_set_has(&cpus, cpu))
			map->node_of[cpu] = (uint16_t)node;
	}
}

/* find_nodes - CPUs that no node lists belong to the first one; C2. */
static void find_nodes(struct cpu_map *map, const struct os *os)
{
	struct id_set nodes;

	if (!read_set(os, "/sys/devices/system/node/possible", NODE_IDS_MAX,
		      &nodes))
		return;
	map->nodes = id_set_count(&nodes);
	map->node_slots = id_set_slots(&nodes);

	unsigned first = 0;

	while (!id_set_has(&nodes, first))
		first++;
	for (unsigned cpu = 0; cpu < map->cpu_slots; cpu++)
		map->node_of[cpu] = (uint16_t)first;
	for (unsigned node = first; node < map->node_slots; node++) {
		if (id_set_has(&nodes, node))
			find_node_cpus(map, node, os);
	}
}

/* make_up_nodes - equal runs of CPUs; the last may be shorter; C2. */
static void make_up_nodes(struct cpu_map *map, unsigned nodes)
{
	const unsigned run = (map->cpu_slots + nodes - 1) / nodes;

	map->nodes = nodes;
	map->node_slots = nodes;
	for (unsigned cpu = 0; cpu < map->cpu_slots; cpu++)
		map->node_of[cpu] = (uint16_t)(cpu / run);
}

int cpu_map_init(struct cpu_map *map, const struct cpu_options *options,
		 const struct os *os)
{
	if (options->cpus > CPU_IDS_MAX || options->nodes > NODE_IDS_MAX)
		return -EINVAL;

	const struct cpu_count machine = find_cpus(os);
	const bool is_made_up = options->cpus > 0;

	*map = (struct cpu_map){
		.cpus = is_made_up ? options->cpus : machine.cpus,
		.cpu_slots = is_made_up ? options->cpus : machine.slots,
		.is_folded = is_made_up && options->cpus < machine.slots,
		.nodes = 1,
		.node_slots = 1,
	};
	if (options->nodes > 0)
		make_up_nodes(map, options->nodes);
	else if (!is_made_up)
		find_nodes(map, os);
	assert(map->cpus > 0 && map->cpus <= map->cpu_slots); /* C1 */
	return 0;
}
