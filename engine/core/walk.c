/* SPDX-License-Identifier: MIT */
/*
 * walk.c - lookups and walks: the caller gets copies.
 */
#include <errno.h>

#include "base/error.h"
#include "core/fast.h"
#include "core/walk.h"

void vm_info_fill(struct lfv_vm_info *info, const struct va_found *found)
{
	*info = (struct lfv_vm_info){
		.va_start = found->start,
		.va_end = found->end,
		.size = found->vm.size,
		.flags = found->vm.flags,
		.nr_pages = found->vm.nr_pages,
		.caller = found->vm.caller,
		.phys = found->vm.phys,
	};
}

static __attribute__((noinline)) int
find_slowly(struct lfv *lfv, const void *address, struct lfv_vm_info *info)
{
	struct va_found found;
	const int error = engine_enter(lfv);

	if (error != 0)
		return error;
	if (!lfv->va.ops->find(&lfv->va, (uintptr_t)address, &found))
		return error_set(-ENOENT, "no live area covers 0x%zx",
				 (size_t)(uintptr_t)address);
	vm_info_fill(info, &found);
	return 0;
}

int lfv_find_vm_area(struct lfv *lfv, const void *address,
		     struct lfv_vm_info *info)
{
	struct va_found found;

	if (__builtin_expect(!fast_find(lfv, address, &found), 0))
		return find_slowly(lfv, address, info);
	vm_info_fill(info, &found);
	return 0;
}

int lfv_for_each_vm_area(struct lfv *lfv, lfv_visit *visit, void *context)
{
	uintptr_t cursor = lfv->window.start;
	struct va_found found;
	const int error = engine_enter(lfv);

	if (error != 0)
		return error;
	while (lfv->va.ops->find_next(&lfv->va, cursor, &found)) {
		struct lfv_vm_info info;

		vm_info_fill(&info, &found);

		const int stop = visit(context, &info);

		if (stop != 0)
			return stop;
		cursor = found.end;
	}
	return 0;
}

int lfv_vmalloc_to_frame(struct lfv *lfv, const void *address,
			 struct lfv_page *page)
{
	const int error = engine_enter(lfv);

	if (error != 0)
		return error;
	if (lfv->choices.address_plane ||
	    (uintptr_t)address < lfv->window.start ||
	    (uintptr_t)address >= lfv->window.end ||
	    map_frame_at(&lfv->map, (uintptr_t)address, &page->frame) != 0)
		return error_set(-ENOENT, "no frame is mapped at 0x%zx",
				 (size_t)(uintptr_t)address);
	return 0;
}
