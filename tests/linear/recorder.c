/* SPDX-License-Identifier: MIT */
/*
 * recorder.c - from pages to addresses and back.
 */
#include "linear/recorder.h"

#include <errno.h>

#include "base/check.h"
#include "base/page.h"

/* A twin of `busted` needs a free more. */
enum { CLEAR_ROUNDS = 8 };

static void *address_of(const struct recorder *recorder, uint32_t page)
{
	return (void *)(recorder->base + pages_to_bytes(page));
}

static uint32_t page_of(const struct recorder *recorder, uintptr_t address)
{
	return (uint32_t)((address - recorder->base) >> PAGE_SHIFT);
}

/* Take all of the window above `pages` pages. */
static bool block(struct recorder *recorder, uint32_t pages)
{
	struct lfv_request request = LFV_REQUEST_INIT;

	recorder->part = recorder->window;
	if (pages == 0)
		return true;
	recorder->part.end = recorder->part.first + pages;
	request.vstart = (uintptr_t)address_of(recorder, recorder->part.end);
	request.vend = lfv_vmalloc_end(recorder->lfv);
	request.size = request.vend - request.vstart;
	request.flags = LFV_VM_NO_GUARD;
	return lfv_get_vm_area_range(recorder->lfv, &request) != NULL;
}

bool recorder_init(struct recorder *recorder, const struct lfv_options *options,
		   uint32_t pages)
{
	*recorder = (struct recorder){ .lfv = lfv_create(options) };
	if (recorder->lfv == NULL)
		return false;

	const uintptr_t start = lfv_vmalloc_start(recorder->lfv);

	recorder->base = start & ~(pages_to_bytes(ALIGN_PAGES_MAX) - 1);
	recorder->window = (struct page_range){
		page_of(recorder, start),
		page_of(recorder, lfv_vmalloc_end(recorder->lfv)),
	};
	if (block(recorder, pages))
		return true;
	recorder_fini(recorder);
	return false;
}

void recorder_fini(struct recorder *recorder)
{
	lfv_destroy(recorder->lfv);
	recorder->lfv = NULL;
}

static void run_alloc(struct recorder *recorder, struct op *op)
{
	const uint32_t guard = op->other_form ? 0 : 1;
	struct lfv_request request = LFV_REQUEST_INIT;

	request.size = pages_to_bytes(op->pages - guard) - op->tag % TAGS;
	request.align = op->align > 1 ? pages_to_bytes(op->align) : 0;
	request.flags = op->other_form ? LFV_VM_NO_GUARD : 0;
	if (!ranges_equal(op->within, recorder->part)) {
		request.vstart =
			(uintptr_t)address_of(recorder, op->within.first);
		request.vend = (uintptr_t)address_of(recorder, op->within.end);
	}

	op->invoked = history_stamp(&recorder->clock);
	const void *const got = lfv_get_vm_area_range(recorder->lfv, &request);
	const int error = got == NULL ? errno : 0;

	op->returned = history_stamp(&recorder->clock);
	if (error != 0) {
		op->answer = error == ENOMEM ? ANSWER_NO : ANSWER_ODD;
		return;
	}
	op->area.first = page_of(recorder, (uintptr_t)got);
	op->area.end = op->area.first + op->pages;
}

static void run_free(struct recorder *recorder, struct op *op)
{
	const void *const address = address_of(recorder, op->page);
	int error;

	op->invoked = history_stamp(&recorder->clock);
	if (op->other_form)
		error = lfv_vfree(recorder->lfv, address);
	else
		error = lfv_free_vm_area(recorder->lfv, address);
	op->returned = history_stamp(&recorder->clock);
	if (error != 0)
		op->answer = error == -EINVAL ? ANSWER_NO : ANSWER_ODD;
}

/* The last byte of the page: any but the first could be taken wrong. */
static void run_lookup(struct recorder *recorder, struct op *op)
{
	const char *const address = address_of(recorder, op->page);
	struct lfv_vm_info info;

	op->invoked = history_stamp(&recorder->clock);
	const int error =
		lfv_find_vm_area(recorder->lfv, address + PAGE_SIZE - 1, &info);

	op->returned = history_stamp(&recorder->clock);
	if (error != 0) {
		op->answer = error == -ENOENT ? ANSWER_NO : ANSWER_ODD;
		return;
	}
	op->area.first = page_of(recorder, info.va_start);
	op->area.end = page_of(recorder, info.va_end);
	op->tag = (uint16_t)((0 - info.size) % TAGS);
}

void recorder_run(struct recorder *recorder, struct op *op)
{
	op->answer = ANSWER_YES;
	switch (op->kind) {
	case OP_ALLOC:
		run_alloc(recorder, op);
		break;
	case OP_FREE:
		run_free(recorder, op);
		break;
	case OP_LOOKUP:
		run_lookup(recorder, op);
		break;
	case OP_PURGE:
		op->invoked = history_stamp(&recorder->clock);
		if (lfv_purge(recorder->lfv) != 0)
			op->answer = ANSWER_ODD;
		op->returned = history_stamp(&recorder->clock);
		break;
	}
}

struct clearing {
	struct recorder *recorder;
	unsigned met;
};

static int clear_visit(void *context, const struct lfv_vm_info *info)
{
	struct clearing *const clearing = context;
	struct recorder *const recorder = clearing->recorder;

	if (range_covers(recorder->part, page_of(recorder, info->va_start))) {
		clearing->met++;
		(void)lfv_free_vm_area(recorder->lfv,
				       (const void *)info->va_start);
	}
	return 0;
}

bool recorder_clear(struct recorder *recorder)
{
	for (unsigned round = 0; round < CLEAR_ROUNDS; round++) {
		struct clearing clearing = { .recorder = recorder };

		(void)lfv_for_each_vm_area(recorder->lfv, clear_visit,
					   &clearing);
		if (clearing.met == 0)
			return true;
	}
	return false;
}
