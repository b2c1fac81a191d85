/* SPDX-License-Identifier: MIT */
/*
 * self_image.h - what the running program's own file tells: which function an
 * address lies in, and where its restartable sequences are.
 *
 * dladdr(3) knows exported functions only; the engine's are static.
 *
 * Who may run with whom: init and fini alone, the rest with everything.  No
 * call but init and fini takes a lock or memory.
 */
#ifndef LFV_TESTS_SELF_IMAGE_H
#define LFV_TESTS_SELF_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* section - a restartable sequence, as the kernel reads it (linux/rseq.h). */
struct section {
	uint32_t version;
	uint32_t flags;
	uint64_t start_ip;
	uint64_t post_commit_offset;
	uint64_t abort_ip;
};

struct place {
	const char *function; /* NULL: not of this program */
	const char *file;     /* of a static function, else NULL */
};

/* self_image_init - 0 or -errno. */
__attribute__((warn_unused_result)) int self_image_init(void);
void self_image_fini(void);

struct place self_image_place(uintptr_t address);

/* self_image_has - whether the program's own code, no library's, is there. */
bool self_image_has(uintptr_t address);

/* The descriptors of __rseq_cs; there may be none. */
size_t self_image_sections(const struct section **sections);

static inline bool section_has(const struct section *section, uintptr_t ip)
{
	return ip - section->start_ip < section->post_commit_offset;
}

#endif
