/* SPDX-License-Identifier: MIT */
#include "common/quantity.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct unit {
	const char *name;
	uint64_t factor;
};

/* Largest first: the first that divides a value writes it. */
static const struct unit byte_units[] = {
	{ "T", (uint64_t)1 << 40 },
	{ "G", (uint64_t)1 << 30 },
	{ "M", (uint64_t)1 << 20 },
	{ "K", (uint64_t)1 << 10 },
	{ "", 1 },
};
static const struct unit time_units[] = {
	{ "min", 60 * (uint64_t)1000000000 },
	{ "s", 1000000000 },
	{ "ms", 1000000 },
	{ "us", 1000 },
	{ "ns", 1 },
};

enum {
	BYTE_UNITS = sizeof(byte_units) / sizeof(byte_units[0]),
	TIME_UNITS = sizeof(time_units) / sizeof(time_units[0]),
};

/* The number in front, and where its unit begins. */
static int number_begin(const char *text, uint64_t *value, const char **rest)
{
	char *end;

	if (!isdigit((unsigned char)text[0]))
		return -EINVAL;
	errno = 0;
	const unsigned long long number = strtoull(text, &end, 10);
	if (errno)
		return -EINVAL;
	*value = number;
	*rest = end;
	return 0;
}

static int scaled(uint64_t number, uint64_t factor, uint64_t *value)
{
	uint64_t product;

	if (__builtin_mul_overflow(number, factor, &product))
		return -EINVAL;
	*value = product;
	return 0;
}

int quantity_read_number(const char *text, uint64_t *value)
{
	const char *rest;
	uint64_t number;

	if (number_begin(text, &number, &rest) || *rest)
		return -EINVAL;
	*value = number;
	return 0;
}

static bool is_bytes_suffix(const char *rest)
{
	return !*rest || strcmp(rest, "iB") == 0 || strcmp(rest, "B") == 0;
}

int quantity_read_bytes(const char *text, uint64_t *bytes)
{
	const char *rest;
	uint64_t number;

	if (number_begin(text, &number, &rest))
		return -EINVAL;
	for (size_t i = 0; i < BYTE_UNITS; i++) {
		const struct unit *unit = &byte_units[i];
		const size_t letters = strlen(unit->name);

		if (letters && toupper((unsigned char)*rest) != unit->name[0])
			continue;
		if (is_bytes_suffix(rest + letters))
			return scaled(number, unit->factor, bytes);
	}
	return -EINVAL;
}

int quantity_read_ns(const char *text, uint64_t *ns)
{
	const char *rest;
	uint64_t number;

	if (number_begin(text, &number, &rest))
		return -EINVAL;
	if (!*rest)
		rest = "s";
	for (size_t i = 0; i < TIME_UNITS; i++) {
		if (strcmp(rest, time_units[i].name) == 0)
			return scaled(number, time_units[i].factor, ns);
	}
	return -EINVAL;
}

static void write_in(const struct unit *units, size_t count, uint64_t value,
		     char text[QUANTITY_BYTES])
{
	const struct unit *unit = &units[count - 1];

	for (size_t i = 0; i < count && value; i++) {
		if (value % units[i].factor == 0) {
			unit = &units[i];
			break;
		}
	}
	(void)snprintf(text, QUANTITY_BYTES, "%" PRIu64 "%s",
		       value / unit->factor, unit->name);
}

void quantity_write_bytes(uint64_t bytes, char text[QUANTITY_BYTES])
{
	write_in(byte_units, BYTE_UNITS, bytes, text);
}

void quantity_write_ns(uint64_t ns, char text[QUANTITY_BYTES])
{
	write_in(time_units, TIME_UNITS, ns, text);
}
