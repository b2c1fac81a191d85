/* SPDX-License-Identifier: MIT */
/*
 * vmallocinfo.c - what /proc/vmallocinfo prints, as text and as JSON.
 *
 * The walk copies under the strategy's locks; all printing happens after them,
 * so that a slow reader holds nobody up.
 *
 *	0x7f2a40000000-0x7f2a40005000   20480 main+0x1c pages=4 vmalloc N0=4
 */
#include <dlfcn.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "core/engine.h"
#include "core/walk.h"

/* Room for areas that appear between counting and copying. */
enum { SNAPSHOT_SLACK = 64, CALLER_BYTES = 160 };

struct snapshot {
	struct va_found *found;
	size_t room;
	size_t count; /* may pass `room`: then the copy is cut */
};

static void snapshot_add(void *context, const struct va_found *found)
{
	struct snapshot *snapshot = context;

	if (snapshot->count < snapshot->room)
		snapshot->found[snapshot->count] = *found;
	snapshot->count++;
}

/* snapshot_take - copy all areas; grows until a walk fits. */
static int snapshot_take(struct lfv *lfv, struct snapshot *snapshot)
{
	*snapshot = (struct snapshot){ 0 };
	for (;;) {
		snapshot->count = 0;
		lfv->va.ops->for_each(&lfv->va, snapshot_add, snapshot);
		if (snapshot->count <= snapshot->room)
			return 0;
		free(snapshot->found);
		snapshot->room = snapshot->count + SNAPSHOT_SLACK;
		snapshot->found =
			calloc(snapshot->room, sizeof(*snapshot->found));
		if (snapshot->found == NULL)
			return error_set(-ENOMEM, "no memory to list %zu areas",
					 snapshot->count);
	}
}

/* caller_print - symbol+0xoffset where it is known, else module+0xoffset. */
static void caller_print(char text[CALLER_BYTES], const void *caller)
{
	Dl_info where;

	if (caller == NULL || dladdr(caller, &where) == 0) {
		(void)snprintf(text, CALLER_BYTES, "%p", caller);
		return;
	}

	const char *name = where.dli_sname;
	const void *base = where.dli_saddr;

	if (name == NULL) {
		name = where.dli_fname;
		base = where.dli_fbase;
	}
	(void)snprintf(text, CALLER_BYTES, "%.120s+0x%zx", name,
		       (size_t)((uintptr_t)caller - (uintptr_t)base));
}

/* The kinds of an area, in the order and words of /proc/vmallocinfo. */
static const struct kind {
	unsigned flag;
	const char *word;
} kinds[] = {
	{ LFV_VM_IOREMAP, "ioremap" },
	{ LFV_VM_ALLOC, "vmalloc" },
	{ LFV_VM_MAP, "vmap" },
};

enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

/* With one memory node every page is on it; else nobody has asked. */
static bool is_single_node(const struct lfv *lfv)
{
	return lfv->cpus.nodes == 1;
}

static void text_area(FILE *stream, const struct lfv *lfv,
		      const struct va_found *found)
{
	char caller[CALLER_BYTES];

	(void)fprintf(stream, "0x%016zx-0x%016zx %7zu", (size_t)found->start,
		      (size_t)found->end, (size_t)(found->end - found->start));
	if (found->lazy) {
		(void)fprintf(stream, " unpurged vm_area lazy\n");
		return;
	}
	caller_print(caller, found->vm.caller);
	(void)fprintf(stream, " %s", caller);
	if (found->vm.nr_pages != 0)
		(void)fprintf(stream, " pages=%" PRIu32, found->vm.nr_pages);
	if ((found->vm.flags & LFV_VM_IOREMAP) != 0)
		(void)fprintf(stream, " phys=0x%016" PRIx64, found->vm.phys);
	for (size_t i = 0; i < KINDS; i++) {
		if ((found->vm.flags & kinds[i].flag) != 0)
			(void)fprintf(stream, " %s", kinds[i].word);
	}
	if ((found->vm.flags & LFV_VM_ALLOC) != 0 && is_single_node(lfv))
		(void)fprintf(stream, " N0=%" PRIu32, found->vm.nr_pages);
	(void)fputc('\n', stream);
}

/* json_string - a caller's name may hold any byte that a file name may. */
static void json_string(FILE *stream, const char *text)
{
	(void)fputc('"', stream);
	for (; *text != '\0'; text++) {
		const unsigned char byte = (unsigned char)*text;

		if (byte == '"' || byte == '\\')
			(void)fprintf(stream, "\\%c", byte);
		else if (byte < ' ')
			(void)fprintf(stream, "\\u%04x", byte);
		else
			(void)fputc(byte, stream);
	}
	(void)fputc('"', stream);
}

static const char *kind_word(const struct va_found *found)
{
	for (size_t i = 0; i < KINDS; i++) {
		if ((found->vm.flags & kinds[i].flag) != 0)
			return kinds[i].word;
	}
	return "range";
}

static void json_area(FILE *stream, const struct lfv *lfv,
		      const struct va_found *found)
{
	char caller[CALLER_BYTES];

	(void)fprintf(stream,
		      "{\"start\":\"0x%016zx\",\"end\":\"0x%016zx\","
		      "\"bytes\":%zu,\"lazy\":%s",
		      (size_t)found->start, (size_t)found->end,
		      (size_t)(found->end - found->start),
		      found->lazy ? "true" : "false");
	if (!found->lazy) {
		caller_print(caller, found->vm.caller);
		(void)fprintf(stream, ",\"caller\":");
		json_string(stream, caller);
		(void)fprintf(stream,
			      ",\"kind\":\"%s\",\"size\":%zu,"
			      "\"pages\":%" PRIu32,
			      kind_word(found), (size_t)found->vm.size,
			      found->vm.nr_pages);
		if ((found->vm.flags & LFV_VM_IOREMAP) != 0)
			(void)fprintf(stream, ",\"phys\":\"0x%016" PRIx64 "\"",
				      found->vm.phys);
		if ((found->vm.flags & LFV_VM_ALLOC) != 0 &&
		    is_single_node(lfv))
			(void)fprintf(stream, ",\"N0\":%" PRIu32,
				      found->vm.nr_pages);
	}
	(void)fputc('}', stream);
}

int lfv_vmallocinfo(struct lfv *lfv, FILE *stream, enum lfv_format format)
{
	struct snapshot snapshot;
	int error = engine_enter(lfv);

	if (error == 0 && format != LFV_TEXT && format != LFV_JSON)
		error = error_set(-EINVAL, "format %d: LFV_TEXT or LFV_JSON",
				  (int)format);
	if (error == 0)
		error = snapshot_take(lfv, &snapshot);
	if (error != 0)
		return error;
	errno = 0;
	if (format == LFV_JSON)
		(void)fputs("[", stream);
	for (size_t i = 0; i < snapshot.count; i++) {
		if (format == LFV_JSON) {
			(void)fputs(i == 0 ? "\n" : ",\n", stream);
			json_area(stream, lfv, &snapshot.found[i]);
		} else {
			text_area(stream, lfv, &snapshot.found[i]);
		}
	}
	if (format == LFV_JSON)
		(void)fputs("\n]\n", stream);
	free(snapshot.found);
	if (fflush(stream) == 0 && ferror(stream) == 0)
		return 0;
	error = errno != 0 ? -errno : -EIO;
	return error_set(error, "the list could not be written: %s",
			 strerror(-error));
}
