/* SPDX-License-Identifier: MIT */
/*
 * window_cover.h - what the kernel has mapped in an engine's window.
 *
 * W1 of backing/window.h as /proc/self/maps tells it: the window is covered
 * from its first byte to its last, by mappings that do not reach beyond it
 * unless they are bare (the kernel may merge a stranger's PROT_NONE).
 */
#ifndef LFV_TESTS_WINDOW_COVER_H
#define LFV_TESTS_WINDOW_COVER_H

#include <stddef.h>

struct lfv;

/* window_mappings - how many there are; 0: some page is not covered. */
size_t window_mappings(const struct lfv *lfv);

#endif
