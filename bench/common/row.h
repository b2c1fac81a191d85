/* SPDX-License-Identifier: MIT */
/*
 * row.h - what lfv-gbench says of its one sample, and how lfv-bench reads it.
 *
 * The row is one entry of Google Benchmark's JSON, whose counters are flat
 * numbers; every counter of ours begins with ROW_PREFIX, so that none can meet
 * a key of the library's.  A counter that is not known is left out, never
 * written as NaN.
 *
 *   outcome     measured: no error_message.
 *               invalid:  the row's label begins with ROW_INVALID; the rest
 *                         says why (overlap of the threads, migrations, ...).
 *               too slow: error_message begins with ROW_TOO_SLOW; the rest
 *                         says how far the set-up came.
 *               failed:   any other error_message: what the workload's checks
 *                         caught, in words.
 *   exit code   0 for the first three, 3 for failed.
 *
 * A counter under ROW_PRICE or ROW_LATENCY goes into that object of the
 * sample, all others into its counters, each without the prefix.
 */
#ifndef LFV_BENCH_ROW_H
#define LFV_BENCH_ROW_H

#define ROW_PREFIX  "lfv_"
#define ROW_PRICE   ROW_PREFIX "price_"
#define ROW_LATENCY ROW_PREFIX "latency_"

#define ROW_OPS     ROW_PREFIX "ops"     /* in the window of all threads */
#define ROW_SECONDS ROW_PREFIX "seconds" /* that window */

/* What an operation cost the cores of those threads whose operations count. */
#define ROW_CORE_NS ROW_PREFIX "core_ns_per_op"

/* A cache line between the CPUs of threads 0 and 1, there and back. */
#define ROW_LINE_TRANSFER ROW_PREFIX "line_transfer_ns"

#define ROW_PRICE_PAGES    ROW_PRICE "pages_retained"     /* after the free */
#define ROW_PRICE_SPAN     ROW_PRICE "address_span_pages" /* highest - lowest */
#define ROW_PRICE_MAPPINGS ROW_PRICE "mappings"           /* kernel mappings */
#define ROW_PRICE_HELD     ROW_PRICE "held_bytes"         /* behind readers */

#define ROW_LATENCY_COUNT ROW_LATENCY "count"
#define ROW_LATENCY_P50   ROW_LATENCY "p50_ns"
#define ROW_LATENCY_P99   ROW_LATENCY "p99_ns"
#define ROW_LATENCY_P999  ROW_LATENCY "p999_ns"
#define ROW_LATENCY_MAX   ROW_LATENCY "max_ns"

#define ROW_INVALID  "invalid: "
#define ROW_TOO_SLOW "too slow: "

#endif
