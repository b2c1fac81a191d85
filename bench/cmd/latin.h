/* SPDX-License-Identifier: MIT */
/*
 * latin.h - in which order things are measured that will be compared.
 *
 * A machine drifts: it warms up, neighbours come and go.  What is measured
 * side by side is therefore interleaved, and each thing takes each place in
 * the order equally often.
 *
 *   L1  one row holds each of 0 .. size - 1 once;
 *   L2  in rows k * size .. k * size + size - 1, each place holds each of them
 *       once;
 *   L3  size, row and seed alone decide: the same run can be repeated.
 *
 * The square of each block of `size` rows is a cyclic one whose rows, columns
 * and symbols are shuffled.
 */
#ifndef LFV_BENCH_LATIN_H
#define LFV_BENCH_LATIN_H

#include <stddef.h>
#include <stdint.h>

/* latin_row - one row of the squares; `order` has room for `size`. */
void latin_row(size_t size, size_t row, uint64_t seed, size_t *order);

/* latin_mix - a number that looks random, made of two. */
uint64_t latin_mix(uint64_t seed, uint64_t value);

#endif
