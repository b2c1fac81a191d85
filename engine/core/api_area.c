/* SPDX-License-Identifier: MIT */
/*
 * api_area.c - the public functions that make and free areas.
 *
 * Each turns its arguments into a request and a source; the life of the area
 * is life.c's.  The caller's address is taken here, in the public function
 * itself, as Linux's __builtin_return_address(0).
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "base/check.h"
#include "base/error.h"
#include "core/fast.h"

/* VM_IOREMAP areas are aligned to their size's power of two, up to this. */
enum { IOREMAP_MAX_ORDER = 7 + PAGE_SHIFT };

/* order_of - the smallest n with 2^n >= size. */
static unsigned order_of(size_t size)
{
	return size <= 1 ? 0 : fls_ulong(size - 1);
}

/* window_check - begins the request: where, and nothing else yet. */
static int window_check(const struct lfv *lfv, const struct lfv_request *asked,
			struct va_request *request)
{
	*request = (struct va_request){
		.vstart =
			asked->vstart != 0 ? asked->vstart : lfv->window.start,
		.vend = asked->vend != 0 ? asked->vend : lfv->window.end,
	};
	if (request->vstart < lfv->window.start ||
	    request->vend > lfv->window.end ||
	    request->vstart >= request->vend ||
	    !is_page_aligned(request->vstart) ||
	    !is_page_aligned(request->vend))
		return error_set(-EINVAL,
				 "range 0x%zx-0x%zx: page aligned, not empty, "
				 "inside the window 0x%zx-0x%zx",
				 (size_t)request->vstart, (size_t)request->vend,
				 (size_t)lfv->window.start,
				 (size_t)lfv->window.end);
	return 0;
}

/* request_check - everything about a request that can be wrong. */
static int request_check(const struct lfv *lfv, const struct lfv_request *asked,
			 struct va_request *request)
{
	const size_t guard =
		(asked->flags & LFV_VM_NO_GUARD) != 0 ? 0 : PAGE_SIZE;
	const size_t window = lfv->window.end - lfv->window.start;
	int error = engine_enter(lfv);

	if (error != 0)
		return error;
	if (asked->size == 0)
		return error_set(-EINVAL, "size is 0: ask for a byte at least");
	if (asked->size > window - guard)
		return error_set(-EINVAL,
				 "size %zu with its guard page is larger than "
				 "the window of %zu bytes",
				 asked->size, window);
	if (asked->align != 0 && !is_power_of_two(asked->align))
		return error_set(-EINVAL,
				 "align %zu is no power of two (0 for none)",
				 asked->align);
	if ((asked->flags & ~(unsigned)LFV_VM_NO_GUARD) != 0)
		return error_set(-EINVAL,
				 "flags 0x%x: only LFV_VM_NO_GUARD is the "
				 "caller's to set",
				 asked->flags);
	if (asked->node < -1 || asked->node >= (int)lfv->cpus.node_slots)
		return error_set(-EINVAL, "node %d: from 0 to %u, -1 for any",
				 asked->node, lfv->cpus.node_slots - 1);
	error = window_check(lfv, asked, request);
	if (error != 0)
		return error;
	request->size = align_up(asked->size, PAGE_SIZE) + guard;
	request->align = asked->align != 0 ? asked->align : 1;
	request->node = asked->node;
	request->vm = (struct vm_struct){
		.flags = asked->flags,
		.size = asked->size,
	};
	return 0;
}

static int plane_check(const struct lfv *lfv)
{
	if (lfv->choices.address_plane)
		return error_set(-EOPNOTSUPP,
				 "an engine of the address plane maps nothing: "
				 "create it without address_plane");
	return 0;
}

/* memory_check - as Linux, refuse at once what all memory could not hold. */
static int memory_check(const struct lfv *lfv, size_t size)
{
	const size_t pages = bytes_to_pages(size);
	const int error = plane_check(lfv);

	if (error != 0)
		return error;
	if (pages > lfv->frames.config.nr_frames || pages > UINT32_MAX)
		return error_set(-ENOMEM,
				 "size %zu is more than all memory, %zu frames "
				 "of 4096 bytes: create the engine with a "
				 "larger memory_bytes",
				 size, (size_t)lfv->frames.config.nr_frames);
	return 0;
}

static void *answer(int error, void *address)
{
	if (error == 0)
		return address;
	errno = -error;
	return NULL;
}

/* area_make - any area that needs no more than a request. */
static void *area_make(struct lfv *lfv, const struct lfv_request *asked,
		       const void *caller, enum source_kind kind)
{
	const struct source source = { .kind = kind, .zero = asked->zero };
	struct va_request request;
	void *address = NULL;
	int error = request_check(lfv, asked, &request);

	if (error == 0 && kind == SOURCE_MEMORY) {
		error = memory_check(lfv, asked->size);
		request.vm.flags |= LFV_VM_ALLOC;
		request.vm.nr_pages = (uint32_t)bytes_to_pages(asked->size);
	}
	if (error != 0)
		return answer(error, NULL);
	request.vm.caller = caller;
	error = engine_alloc(lfv, &request, &source, &address);
	return answer(error, address);
}

static inline struct vm_struct memory_of(size_t size, const void *caller)
{
	return (struct vm_struct){
		.flags = LFV_VM_ALLOC,
		.nr_pages = (uint32_t)bytes_to_pages(size),
		.caller = caller,
		.size = size,
	};
}

/* vmalloc_slowly - as lfv_vmalloc(), for whoever calls it. */
static __attribute__((noinline)) void *
vmalloc_slowly(struct lfv *lfv, size_t size, const void *caller)
{
	const struct lfv_request asked = { .size = size, .node = -1 };
	const struct vm_struct vm = memory_of(size, caller);
	void *const address =
		lfv->choices.address_plane
			? NULL
			: fast_alloc(fast_other(lfv), false, size, &vm);

	return address != NULL ? address
			       : area_make(lfv, &asked, caller, SOURCE_MEMORY);
}

void *lfv_vmalloc(struct lfv *lfv, size_t size)
{
	const struct vm_struct vm =
		memory_of(size, __builtin_return_address(0));
	void *const address = lfv->choices.address_plane
				      ? NULL
				      : fast_alloc(lfv->plain, true, size, &vm);

	return __builtin_expect(address != NULL, 1)
		       ? address
		       : vmalloc_slowly(lfv, size, vm.caller);
}

void *lfv_vzalloc(struct lfv *lfv, size_t size)
{
	const struct lfv_request asked = {
		.size = size,
		.node = -1,
		.zero = true,
	};

	return area_make(lfv, &asked, __builtin_return_address(0),
			 SOURCE_MEMORY);
}

void *lfv_vmalloc_align(struct lfv *lfv, size_t size, size_t align)
{
	const struct lfv_request asked = {
		.size = size,
		.align = align,
		.node = -1,
	};

	return area_make(lfv, &asked, __builtin_return_address(0),
			 SOURCE_MEMORY);
}

void *lfv_vmalloc_node(struct lfv *lfv, size_t size, int node)
{
	const struct lfv_request asked = { .size = size, .node = node };

	return area_make(lfv, &asked, __builtin_return_address(0),
			 SOURCE_MEMORY);
}

void *lfv_vmalloc_range(struct lfv *lfv, const struct lfv_request *request)
{
	return area_make(lfv, request, __builtin_return_address(0),
			 SOURCE_MEMORY);
}

/* ranges_of - on the full plane what lies in the cache has frames. */
static inline struct cached *ranges_of(const struct lfv *lfv,
				       struct cached *cached, unsigned flags)
{
	return flags == 0 && lfv->choices.address_plane ? cached : NULL;
}

static __attribute__((noinline)) void *get_vm_area_slowly(struct lfv *lfv,
							  size_t size,
							  unsigned flags,
							  const void *caller)
{
	const struct lfv_request asked = {
		.size = size,
		.flags = flags,
		.node = -1,
	};
	const struct vm_struct vm = { .caller = caller, .size = size };
	void *const address = fast_alloc(ranges_of(lfv, fast_other(lfv), flags),
					 false, size, &vm);

	return address != NULL ? address
			       : area_make(lfv, &asked, caller, SOURCE_NONE);
}

void *lfv_get_vm_area(struct lfv *lfv, size_t size, unsigned flags)
{
	const struct vm_struct vm = {
		.caller = __builtin_return_address(0),
		.size = size,
	};
	void *const address =
		fast_alloc(ranges_of(lfv, lfv->plain, flags), true, size, &vm);

	return __builtin_expect(address != NULL, 1)
		       ? address
		       : get_vm_area_slowly(lfv, size, flags, vm.caller);
}

void *lfv_get_vm_area_range(struct lfv *lfv, const struct lfv_request *request)
{
	return area_make(lfv, request, __builtin_return_address(0),
			 SOURCE_NONE);
}

/* ioremap_check - what lfv_ioremap() is asked beyond a request. */
static int ioremap_check(const struct lfv *lfv, const struct source *source,
			 size_t size)
{
	const uint64_t offset = source->offset;
	off_t bytes = 0;
	int error = plane_check(lfv);

	if (error != 0)
		return error;
	if ((source->prot & ~(PROT_READ | PROT_WRITE | PROT_EXEC)) != 0)
		return error_set(-EINVAL,
				 "prot 0x%x: PROT_READ, PROT_WRITE and "
				 "PROT_EXEC can be set",
				 (unsigned)source->prot);
	if (!is_page_aligned(offset))
		return error_set(-EINVAL,
				 "file offset 0x%llx is not page aligned",
				 (unsigned long long)offset);
	error = lfv->os->fstat_bytes(source->fd, &bytes);
	if (error != 0)
		return error_set(error, "descriptor %d: %s", source->fd,
				 strerror(-error));
	/* Devices have no size; beyond a file's end a touch is a SIGBUS. */
	if (bytes > 0 &&
	    (offset > (uint64_t)bytes || size > (uint64_t)bytes - offset))
		return error_set(-EINVAL,
				 "%zu bytes from offset 0x%llx end behind the "
				 "file's %lld bytes",
				 size, (unsigned long long)offset,
				 (long long)bytes);
	return 0;
}

void *lfv_ioremap(struct lfv *lfv, int fd, uint64_t offset, size_t size,
		  int prot)
{
	const unsigned order = order_of(size);
	const unsigned least = order > PAGE_SHIFT ? order : PAGE_SHIFT;
	const struct lfv_request asked = {
		.size = size,
		.align = (size_t)1
			 << (least < IOREMAP_MAX_ORDER ? least
						       : IOREMAP_MAX_ORDER),
		.node = -1,
	};
	const struct source source = {
		.kind = SOURCE_FILE,
		.fd = fd,
		.prot = prot,
		.offset = offset,
	};
	struct va_request request;
	void *address = NULL;
	int error = request_check(lfv, &asked, &request);

	if (error == 0)
		error = ioremap_check(lfv, &source, size);
	if (error != 0)
		return answer(error, NULL);
	request.vm.flags |= LFV_VM_IOREMAP;
	request.vm.phys = offset;
	request.vm.caller = __builtin_return_address(0);
	error = engine_alloc(lfv, &request, &source, &address);
	return answer(error, address);
}

static __attribute__((noinline)) int
free_slowly(struct lfv *lfv, const void *address, bool mapped)
{
	return fast_free(lfv, fast_other(lfv), false, address)
		       ? 0
		       : engine_free(lfv, address, mapped);
}

int lfv_vfree(struct lfv *lfv, const void *address)
{
	return __builtin_expect(fast_free(lfv, lfv->plain, true, address), 1)
		       ? 0
		       : free_slowly(lfv, address, true);
}

int lfv_vunmap(struct lfv *lfv, const void *address)
{
	return engine_free(lfv, address, true);
}

int lfv_iounmap(struct lfv *lfv, const void *address)
{
	return engine_free(lfv, address, true);
}

int lfv_free_vm_area(struct lfv *lfv, const void *address)
{
	return __builtin_expect(fast_free(lfv, lfv->plain, true, address), 1)
		       ? 0
		       : free_slowly(lfv, address, false);
}

void *lfv_vmap(struct lfv *lfv, const struct lfv_page *pages, size_t count)
{
	const struct lfv_request asked = {
		.size = count <= SIZE_MAX >> PAGE_SHIFT ? pages_to_bytes(count)
							: SIZE_MAX,
		.node = -1,
	};
	const struct source source = {
		.kind = SOURCE_FRAMES,
		.frames = (const uint32_t *)pages,
	};
	struct va_request request;
	void *address = NULL;
	int error = request_check(lfv, &asked, &request);

	static_assert(sizeof(struct lfv_page) == sizeof(uint32_t),
		      "an array of pages is an array of frame numbers");
	if (error == 0)
		error = plane_check(lfv);
	/* A look, which spares the range; map_frames() makes sure. */
	for (size_t i = 0; error == 0 && i < count; i++) {
		if (!frames_is_lent(&lfv->frames, pages[i].frame))
			error = error_set(-EINVAL,
					  "pages[%zu] is frame %u: not one of "
					  "lfv_alloc_pages()",
					  i, pages[i].frame);
	}
	if (error != 0)
		return answer(error, NULL);
	request.vm.flags |= LFV_VM_MAP;
	request.vm.nr_pages = (uint32_t)count;
	request.vm.caller = __builtin_return_address(0);
	error = engine_alloc(lfv, &request, &source, &address);
	return answer(error, address);
}
