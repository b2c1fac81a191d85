/* SPDX-License-Identifier: MIT */
/*
 * os_proc.h - numbers out of the text files of /proc.
 *
 * Everything is read through a small buffer on the stack: /proc/interrupts of
 * a large machine has hundreds of kilobytes, and a reader that allocates would
 * add mappings to the very file it counts.
 */
#ifndef LFV_BASE_OS_PROC_H
#define LFV_BASE_OS_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* proc_first_number - the decimal number that the file begins with. */
bool proc_first_number(const char *path, uint64_t *number);

/* proc_line_count - lines of the file, 0 if it cannot be read. */
size_t proc_line_count(const char *path);

/*
 * proc_row_sum - the sum of the numbers of the first line whose first word is
 * `row`, up to the first word that is not a number.  False: no such line.
 */
bool proc_row_sum(const char *path, const char *row, uint64_t *sum);

/*
 * proc_read_text - up to bytes - 1 characters of the file's begin, and a 0.
 *
 * 0, or -errno of open(2) with `text` untouched.
 */
int proc_read_text(const char *path, char *text, size_t bytes);

#endif
