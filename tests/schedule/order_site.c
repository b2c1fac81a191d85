/* SPDX-License-Identifier: MIT */
/*
 * order_site.c - a table of places, found by the address of their text.
 */
#include "schedule/order_site.h"

#include <stddef.h>
#include <string.h>

#include "base/check.h"

enum { INDEX_SLOTS = 1024 };

/* Two copies of an inline function have texts of their own, and one site. */
struct text_slot {
	const char *where;
	const char *function;
	enum operation_kind kind;
	unsigned site;
};

static struct order_site sites[ORDER_SITES_MAX];
static unsigned site_count;
static struct text_slot text_slots[INDEX_SLOTS];
static const struct order_site *weak_site;
static memory_order weak_order;

const struct order_site *order_sites(unsigned *count)
{
	*count = site_count;
	return sites;
}

void order_sites_forget(void)
{
	site_count = 0;
	weak_site = NULL;
	memset(text_slots, 0, sizeof(text_slots));
}

static unsigned site_add(const struct operation *operation)
{
	for (unsigned i = 0; i < site_count; i++) {
		if (sites[i].kind == operation->kind &&
		    sites[i].order == operation->order &&
		    strcmp(sites[i].where, operation->where) == 0)
			return i;
	}
	require(site_count < ORDER_SITES_MAX);
	sites[site_count] = (struct order_site){
		operation->kind,
		operation->order,
		operation->where,
		operation->function,
	};
	return site_count++;
}

static const struct order_site *site_of(const struct operation *operation)
{
	const uintptr_t mix =
		(uintptr_t)operation->where * 31 + (uintptr_t)operation->kind;

	for (uintptr_t i = mix, looks = 0;; i++, looks++) {
		struct text_slot *const slot = &text_slots[i % INDEX_SLOTS];

		require(looks < INDEX_SLOTS);
		if (slot->where == NULL) {
			*slot = (struct text_slot){
				operation->where,
				operation->function,
				operation->kind,
				site_add(operation),
			};
			return &sites[slot->site];
		}
		if (slot->where == operation->where &&
		    slot->kind == operation->kind &&
		    sites[slot->site].order == operation->order)
			return &sites[slot->site];
	}
}

memory_order order_of(const struct operation *operation)
{
	if (operation->order == memory_order_relaxed)
		return operation->order;

	const struct order_site *const site = site_of(operation);

	return site == weak_site ? weak_order : operation->order;
}

unsigned order_weaker(const struct order_site *site,
		      memory_order weaker[ORDER_WEAKER_MAX])
{
	if (site->order == memory_order_seq_cst) {
		weaker[0] = site->kind == OPERATION_LOAD ? memory_order_acquire
			    : site->kind == OPERATION_STORE
				    ? memory_order_release
				    : memory_order_acq_rel;
		return 1;
	}
	if (site->order == memory_order_acq_rel) {
		weaker[0] = memory_order_acquire;
		weaker[1] = memory_order_release;
		return 2;
	}
	weaker[0] = memory_order_relaxed;
	return 1;
}

void order_weaken(const struct order_site *site, memory_order order)
{
	weak_site = site;
	weak_order = order;
}

const char *order_name(memory_order order)
{
	switch (order) {
	case memory_order_relaxed:
		return "relaxed";
	case memory_order_consume:
		return "consume";
	case memory_order_acquire:
		return "acquire";
	case memory_order_release:
		return "release";
	case memory_order_acq_rel:
		return "acq_rel";
	default:
		return "seq_cst";
	}
}

const char *operation_name(enum operation_kind kind)
{
	static const char *const names[] = {
		[OPERATION_LOAD] = "load", [OPERATION_STORE] = "store",
		[OPERATION_SWAP] = "swap", [OPERATION_ADD] = "add",
		[OPERATION_SUB] = "sub",   [OPERATION_AND] = "and",
		[OPERATION_OR] = "or",     [OPERATION_XOR] = "xor",
		[OPERATION_CAS] = "cas",   [OPERATION_FENCE] = "fence",
	};

	return names[kind];
}
