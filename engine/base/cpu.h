/* SPDX-License-Identifier: MIT */
/*
 * cpu.h - which CPUs and memory nodes there may be, and where we run.
 *
 * A cpu_map is read from /sys once, at create, or made up from the caller's
 * options ("64 CPUs on 4 nodes"), and constant from then on:
 *
 *   C1  every possible CPU has an id below cpu_slots, and every possible node
 *       one below node_slots; either may exceed the count, for ids have gaps
 *       ("0-3,8" is five CPUs in nine slots);
 *   C2  every slot below cpu_slots has a node, and it is below node_slots;
 *   C3  unless is_folded, no two CPUs of this machine share a slot.
 *
 * Arrays by CPU are sized by the slots and indexed by cpu_slot(), which also
 * folds the real ids of a machine with more CPUs than were made up.  CPUs that
 * come online later are possible CPUs now, so an array never grows.
 *
 * Where we run is known for an instant only: the thread may be moved before
 * the caller looks at the answer.  It is a hint for locality, never for
 * exclusion (base/percpu.h).
 *
 * Who may run with whom: everything but init, at any time, wait-free.
 */
#ifndef LFV_BASE_CPU_H
#define LFV_BASE_CPU_H

#include <stdbool.h>
#include <stdint.h>

struct os;

enum {
	CPU_IDS_MAX = 8192, /* as many as Linux can be built for */
	NODE_IDS_MAX = 1024,
};

/* Ids are not counts, and those of CPUs are not those of nodes. */
struct cpu_id {
	unsigned value;
};

struct node_id {
	unsigned value;
};

/* id_set - the ids that a list of the kernel's, as "0-3,8", names. */
struct id_set {
	uint64_t words[CPU_IDS_MAX / 64];
};

/* cpu_options - 0 asks the machine; anything else is taken as it is. */
struct cpu_options {
	unsigned cpus;
	unsigned nodes;
};

struct cpu_map {
	/* constant after init */
	unsigned cpus;       /* possible CPUs */
	unsigned cpu_slots;  /* one above the highest id of a CPU */
	bool is_folded;      /* made up with fewer slots than the machine's */
	unsigned nodes;      /* possible memory nodes */
	unsigned node_slots; /* one above the highest id of a node */
	uint16_t node_of[CPU_IDS_MAX];
};

/*
 * cpu_map_init - 0, or -EINVAL when more is asked for than CPU_IDS_MAX and
 * NODE_IDS_MAX allow.
 *
 * What /sys does not tell is taken from sysconf(3), and one node.  Made-up
 * CPUs lie on one node unless nodes are made up too; those share the CPUs out
 * in runs of equal length, as firmware does.
 */
__attribute__((warn_unused_result)) int
cpu_map_init(struct cpu_map *map, const struct cpu_options *options,
	     const struct os *os);

/* cpu_current - the CPU this thread ran on a moment ago. */
struct cpu_id cpu_current(void);

/* cpu_slot - the index below cpu_slots that this CPU's things lie at. */
static inline unsigned cpu_slot(const struct cpu_map *map, struct cpu_id cpu)
{
	return cpu.value < map->cpu_slots ? cpu.value
					  : cpu.value % map->cpu_slots;
}

static inline struct node_id cpu_node(const struct cpu_map *map,
				      struct cpu_id cpu)
{
	return (struct node_id){ map->node_of[cpu_slot(map, cpu)] };
}

/*
 * id_set_parse - read a list of ids and ranges below `limit`, as the kernel
 * writes them; blanks and one newline may follow.
 *
 * -EINVAL for anything else; an empty list is an empty set.
 */
__attribute__((warn_unused_result)) int
id_set_parse(const char *text, unsigned limit, struct id_set *set);

bool id_set_has(const struct id_set *set, unsigned id);
unsigned id_set_count(const struct id_set *set);
/* id_set_slots - one above the highest id; 0 for an empty set. */
unsigned id_set_slots(const struct id_set *set);

#endif
