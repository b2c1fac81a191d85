/* SPDX-License-Identifier: MIT */
/*
 * memory_model.c - versions of locations, and who has seen which.
 */
#include "schedule/memory_model.h"

#include <stddef.h>
#include <string.h>

#include "base/check.h"
#include "schedule/memory_view.h"

/* A power of two, above twice what is indexed. */
enum { INDEX_SLOTS = 2048 };

struct version {
	uint64_t value;
	bool has_view;
	bool is_change; /* of the version before: nothing comes in between */
	struct view view;
};

struct location {
	void *address;
	unsigned bytes;
	bool is_mixed;
	unsigned newest;
	unsigned oldest;
	struct version versions[MEMORY_VERSIONS];
};

struct cell {
	const void *address;
	unsigned writer;
	uint16_t written; /* the writer's operations, then */
	uint16_t read[MEMORY_THREADS_MAX];
};

struct index_slot {
	const void *address;
	unsigned number;
	uint64_t generation; /* valid in this one only */
};

struct index {
	unsigned count;
	struct index_slot slots[INDEX_SLOTS];
};

static struct {
	uint64_t generation;
	uint64_t changes;
	struct view seen[MEMORY_THREADS_MAX];
	struct view read_relaxed[MEMORY_THREADS_MAX]; /* for a later fence */
	struct view released[MEMORY_THREADS_MAX];     /* by the last fence */
	struct view seq_cst;
	struct index location_index;
	struct index cell_index;
	struct location locations[MEMORY_LOCATIONS_MAX];
	struct cell cells[MEMORY_CELLS_MAX];
} memory;

static_assert(INDEX_SLOTS > 2 * MEMORY_LOCATIONS_MAX, "the index has room");

/* index_find - the number of an address; new ones get the next one. */
static unsigned index_find(struct index *index, const void *address)
{
	const uint64_t mix = (uint64_t)(uintptr_t)address * 0x9e3779b97f4a7c15u;

	for (uint64_t i = mix >> 40;; i++) {
		struct index_slot *const slot = &index->slots[i % INDEX_SLOTS];

		if (slot->generation != memory.generation) {
			*slot = (struct index_slot){ address, index->count++,
						     memory.generation };
			return slot->number;
		}
		if (slot->address == address)
			return slot->number;
	}
}

uint64_t memory_get(const void *address, unsigned bytes)
{
	uint64_t value = 0;

	require(bytes <= sizeof(value));
	memcpy(&value, address, bytes);
	return value;
}

void memory_put(void *address, unsigned bytes, uint64_t value)
{
	require(bytes <= sizeof(value));
	memcpy(address, &value, bytes);
}

uint64_t memory_result(enum operation_kind kind, uint64_t before,
		       uint64_t operand)
{
	switch (kind) {
	case OPERATION_ADD:
		return before + operand;
	case OPERATION_SUB:
		return before - operand;
	case OPERATION_AND:
		return before & operand;
	case OPERATION_OR:
		return before | operand;
	case OPERATION_XOR:
		return before ^ operand;
	default:
		return operand;
	}
}

void memory_begin(unsigned threads)
{
	require(threads <= MEMORY_THREADS_MAX);
	memory.generation++;
	memory.changes = 0;
	memory.location_index.count = 0;
	memory.cell_index.count = 0;
	memory.seq_cst.entries = 0;
	for (unsigned i = 0; i < MEMORY_THREADS_MAX; i++) {
		memory.seen[i].entries = 0;
		memory.read_relaxed[i].entries = 0;
		memory.released[i].entries = 0;
		/* 0 is "before the threads began". */
		view_raise(&memory.seen[i], i, 1);
	}
}

static struct version *version_of(struct location *location, unsigned number)
{
	return &location->versions[number % MEMORY_VERSIONS];
}

/* renew - one version, with nothing but a value. */
static void renew(struct location *location, unsigned number)
{
	struct version *const version = version_of(location, number);

	location->newest = number;
	location->oldest = number;
	version->value = memory_get(location->address, location->bytes);
	version->has_view = false;
	version->is_change = false;
}

static struct location *location_of(const struct operation *operation)
{
	const unsigned known = memory.location_index.count;
	const unsigned number =
		index_find(&memory.location_index, operation->address);

	require(number < MEMORY_LOCATIONS_MAX);
	struct location *const location = &memory.locations[number];
	if (number == known) {
		location->address = operation->address;
		location->bytes = operation->bytes;
		location->is_mixed = false;
		renew(location, 0);
		return location;
	}
	if (operation->bytes != location->bytes) {
		location->is_mixed = true;
		if (location->bytes < operation->bytes) {
			location->bytes = operation->bytes;
			renew(location, location->newest);
		}
	}
	const uint64_t found = memory_get(location->address, location->bytes);
	if (found != version_of(location, location->newest)->value)
		renew(location, location->newest + 1);
	return location;
}

static unsigned entry_of(const struct location *location)
{
	return MEMORY_THREADS_MAX + (unsigned)(location - memory.locations);
}

static bool is_acquire(memory_order order)
{
	return order == memory_order_acquire || order == memory_order_acq_rel ||
	       order == memory_order_seq_cst;
}

static bool is_release(memory_order order)
{
	return order == memory_order_release || order == memory_order_acq_rel ||
	       order == memory_order_seq_cst;
}

/* oldest_seen - M1 and M3. */
static unsigned oldest_seen(unsigned thread, const struct location *location,
			    memory_order order)
{
	const unsigned entry = entry_of(location);
	unsigned oldest = location->oldest;

	if (oldest + MEMORY_VERSIONS <= location->newest)
		oldest = location->newest - MEMORY_VERSIONS + 1;
	if (oldest < view_at(&memory.seen[thread], entry))
		oldest = view_at(&memory.seen[thread], entry);
	if (order == memory_order_seq_cst &&
	    oldest < view_at(&memory.seq_cst, entry))
		oldest = view_at(&memory.seq_cst, entry);
	return oldest;
}

unsigned memory_versions(unsigned thread, const struct operation *operation)
{
	const struct location *const location = location_of(operation);
	const memory_order order = operation->kind == OPERATION_CAS
					   ? memory_order_relaxed
					   : operation->order;

	return location->newest - oldest_seen(thread, location, order) + 1;
}

/* tick - what the thread does next is not part of what it released so far. */
static void tick(unsigned thread)
{
	view_raise(&memory.seen[thread], thread,
		   memory.seen[thread].at[thread] + 1u);
}

/* see - the reading half of an operation; M1 to M3. */
static void see(unsigned thread, struct location *location, unsigned number,
		memory_order order)
{
	const struct version *const version = version_of(location, number);
	struct view *const seen = &memory.seen[thread];

	view_raise(seen, entry_of(location), number);
	if (order == memory_order_seq_cst)
		view_raise(&memory.seq_cst, entry_of(location), number);
	if (version->has_view)
		view_join(is_acquire(order) ? seen
					    : &memory.read_relaxed[thread],
			  &version->view);
}

/*
 * show - the writing half: the newest version from now on.
 *
 * `handed_on` is a view that it carries besides its own, or NULL.
 */
static void show(unsigned thread, const struct operation *operation,
		 uint64_t value, const struct view *handed_on)
{
	struct location *const location = location_of(operation);
	const uint64_t before = version_of(location, location->newest)->value;
	struct version *const version =
		version_of(location, location->newest + 1);
	struct view *const seen = &memory.seen[thread];
	const bool releases = is_release(operation->order);

	location->newest++;
	view_raise(seen, entry_of(location), location->newest);
	if (operation->order == memory_order_seq_cst)
		view_raise(&memory.seq_cst, entry_of(location),
			   location->newest);
	view_copy(&version->view, releases ? seen : &memory.released[thread]);
	if (handed_on != NULL)
		view_join(&version->view, handed_on);
	version->has_view = version->view.entries > 0;
	memory_put(location->address, operation->bytes, value);
	version->value = memory_get(location->address, location->bytes);
	version->is_change = operation->kind != OPERATION_STORE;
	memory.changes += version->value != before;
	tick(thread);
}

uint64_t memory_load(unsigned thread, const struct operation *operation,
		     unsigned age)
{
	struct location *const location = location_of(operation);
	const unsigned number = location->newest - age;

	see(thread, location, number, operation->order);
	tick(thread);
	return memory_get(&version_of(location, number)->value,
			  operation->bytes);
}

unsigned memory_places(unsigned thread, const struct operation *operation)
{
	const struct location *const location = location_of(operation);
	const unsigned newest = location->newest;

	return newest > oldest_seen(thread, location, operation->order) &&
			       !location->is_mixed &&
			       !location->versions[newest % MEMORY_VERSIONS]
					.is_change
		       ? 2
		       : 1;
}

/* renumber - whoever has seen the version `from` has seen one more. */
static void renumber(unsigned entry, unsigned from)
{
	const struct index *const index = &memory.location_index;
	struct view *views[3 * MEMORY_THREADS_MAX + 1];
	unsigned count = 0;

	views[count++] = &memory.seq_cst;
	for (unsigned i = 0; i < MEMORY_THREADS_MAX; i++) {
		views[count++] = &memory.seen[i];
		views[count++] = &memory.read_relaxed[i];
		views[count++] = &memory.released[i];
	}
	for (unsigned i = 0; i < count; i++)
		if (view_at(views[i], entry) == from)
			views[i]->at[entry]++;
	for (unsigned i = 0; i < index->count * MEMORY_VERSIONS; i++) {
		struct view *const view =
			&memory.locations[i / MEMORY_VERSIONS]
				 .versions[i % MEMORY_VERSIONS]
				 .view;

		if (view_at(view, entry) == from)
			view->at[entry]++;
	}
}

/* show_late - as show(), but the newest version stays the newest; M5. */
static void show_late(unsigned thread, const struct operation *operation,
		      uint64_t value)
{
	struct location *const location = location_of(operation);
	const unsigned number = location->newest;
	struct view *const seen = &memory.seen[thread];

	*version_of(location, number + 1) = *version_of(location, number);
	location->newest = number + 1;
	renumber(entry_of(location), number);

	struct version *const version = version_of(location, number);

	view_raise(seen, entry_of(location), number);
	if (operation->order == memory_order_seq_cst)
		view_raise(&memory.seq_cst, entry_of(location), number);
	view_copy(&version->view, is_release(operation->order)
					  ? seen
					  : &memory.released[thread]);
	version->has_view = version->view.entries > 0;
	version->is_change = false;
	version->value = value;
	tick(thread);
}

void memory_store(unsigned thread, const struct operation *operation,
		  uint64_t value, unsigned age)
{
	struct location *const location = location_of(operation);
	const struct version *const before =
		version_of(location, location->newest);

	if (age > 0) {
		show_late(thread, operation, value);
		return;
	}
	/* The other part of a location of two sizes stays what it was. */
	show(thread, operation, value,
	     location->is_mixed && before->has_view ? &before->view : NULL);
}

/* change - a read-modify-write that takes place. */
static void change(unsigned thread, const struct operation *operation,
		   uint64_t value)
{
	struct location *const location = location_of(operation);
	const struct version *const before =
		version_of(location, location->newest);

	see(thread, location, location->newest, operation->order);
	show(thread, operation, value, before->has_view ? &before->view : NULL);
}

uint64_t memory_change(unsigned thread, const struct operation *operation,
		       uint64_t operand)
{
	const uint64_t before =
		memory_get(operation->address, operation->bytes);

	change(thread, operation,
	       memory_result(operation->kind, before, operand));
	return before;
}

bool memory_cas(unsigned thread, const struct operation *operation, void *old,
		uint64_t value, unsigned age)
{
	struct location *const location = location_of(operation);
	const uint64_t expected = memory_get(old, operation->bytes);
	unsigned number = location->newest - age;
	uint64_t found = memory_get(&version_of(location, number)->value,
				    operation->bytes);

	if (age == 0 || found == expected) {
		number = location->newest;
		found = memory_get(operation->address, operation->bytes);
	}
	if (found == expected) {
		change(thread, operation, value);
		return true;
	}
	see(thread, location, number, memory_order_relaxed);
	tick(thread);
	memory_put(old, operation->bytes, found);
	return false;
}

void memory_fence(unsigned thread, memory_order order)
{
	struct view *const seen = &memory.seen[thread];

	if (is_acquire(order))
		view_join(seen, &memory.read_relaxed[thread]);
	if (order == memory_order_seq_cst) {
		view_join(seen, &memory.seq_cst);
		view_join(&memory.seq_cst, seen);
	}
	if (is_release(order))
		view_copy(&memory.released[thread], seen);
	tick(thread);
}

uint64_t memory_changes(void)
{
	return memory.changes;
}

static struct cell *cell_of(const void *address)
{
	const unsigned known = memory.cell_index.count;
	const unsigned number = index_find(&memory.cell_index, address);

	require(number < MEMORY_CELLS_MAX);
	if (number == known)
		memory.cells[number] = (struct cell){ .address = address };
	return &memory.cells[number];
}

/* has_seen_write - the cell's last write is in the thread's view. */
static bool has_seen_write(unsigned thread, const struct cell *cell)
{
	return cell->written <= view_at(&memory.seen[thread], cell->writer);
}

bool memory_read(unsigned thread, const void *address)
{
	struct cell *const cell = cell_of(address);

	cell->read[thread] = memory.seen[thread].at[thread];
	return has_seen_write(thread, cell);
}

bool memory_write(unsigned thread, const void *address)
{
	struct cell *const cell = cell_of(address);
	bool is_ordered = has_seen_write(thread, cell);

	for (unsigned i = 0; i < MEMORY_THREADS_MAX; i++)
		is_ordered = is_ordered &&
			     cell->read[i] <= view_at(&memory.seen[thread], i);
	cell->writer = thread;
	cell->written = memory.seen[thread].at[thread];
	return is_ordered;
}
