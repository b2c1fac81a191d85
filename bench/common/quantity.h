/* SPDX-License-Identifier: MIT */
/*
 * quantity.h - numbers with a unit, as people write them, and back.
 *
 * Bytes: 4096, 4K, 128M, 256G, 16T, with or without "iB" or "B".
 * Time: 100ms, 30s, 500us, 250ns, 2min; a bare number is seconds.
 * What is written is read back as the same value.
 */
#ifndef LFV_BENCH_QUANTITY_H
#define LFV_BENCH_QUANTITY_H

#include <stddef.h>
#include <stdint.h>

enum { QUANTITY_BYTES = 32 };

/* 0, or -EINVAL with *value untouched: no number, a stranger unit, too big. */
int quantity_read_number(const char *text, uint64_t *value);
int quantity_read_bytes(const char *text, uint64_t *bytes);
int quantity_read_ns(const char *text, uint64_t *ns);

/* The shortest exact form. */
void quantity_write_bytes(uint64_t bytes, char text[QUANTITY_BYTES]);
void quantity_write_ns(uint64_t ns, char text[QUANTITY_BYTES]);

#endif
