/* SPDX-License-Identifier: MIT */
/*
 * os_proc.c - a reader of characters, and three questions put to it.
 */
#include "base/os_proc.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { BUFFER_BYTES = 4096, END_OF_FILE = -1 };

struct reader {
	int fd;
	size_t next;
	size_t filled;
	char buffer[BUFFER_BYTES];
};

static bool reader_init(struct reader *reader, const char *path)
{
	reader->fd = open(path, O_RDONLY | O_CLOEXEC);
	reader->next = 0;
	reader->filled = 0;
	return reader->fd >= 0;
}

static void reader_fini(struct reader *reader)
{
	(void)close(reader->fd); /* nothing was written: nothing is lost */
}

/* reader_take - the next character; a failed read ends the file. */
static int reader_take(struct reader *reader)
{
	if (reader->next == reader->filled) {
		ssize_t bytes;

		do
			bytes = read(reader->fd, reader->buffer,
				     sizeof(reader->buffer));
		while (bytes < 0 && errno == EINTR);
		if (bytes <= 0)
			return END_OF_FILE;
		reader->next = 0;
		reader->filled = (size_t)bytes;
	}
	return (unsigned char)reader->buffer[reader->next++];
}

/* skip_blanks - the first character that is neither blank nor tab. */
static int skip_blanks(struct reader *reader)
{
	int character = reader_take(reader);

	while (character == ' ' || character == '\t')
		character = reader_take(reader);
	return character;
}

/* take_number - digits from `character` on; returns what follows them. */
static int take_number(struct reader *reader, int character, uint64_t *number)
{
	uint64_t value = 0;

	while (character != END_OF_FILE && isdigit(character)) {
		value = value * 10 + (uint64_t)(character - '0');
		character = reader_take(reader);
	}
	*number = value;
	return character;
}

/* is_row - reads one word; `character` becomes what follows what was read. */
static bool is_row(struct reader *reader, const char *row, int *character)
{
	*character = skip_blanks(reader);
	while (*row != '\0' && *character == *row) {
		row++;
		*character = reader_take(reader);
	}
	return *row == '\0' && (*character == ' ' || *character == '\t');
}

bool proc_first_number(const char *path, uint64_t *number)
{
	struct reader reader;

	if (!reader_init(&reader, path))
		return false;

	const int first = skip_blanks(&reader);
	const bool found = first != END_OF_FILE && isdigit(first);

	if (found)
		(void)take_number(&reader, first, number);
	reader_fini(&reader);
	return found;
}

size_t proc_line_count(const char *path)
{
	struct reader reader;
	size_t lines = 0;

	if (!reader_init(&reader, path))
		return 0;
	for (int character = reader_take(&reader); character != END_OF_FILE;
	     character = reader_take(&reader))
		lines += character == '\n';
	reader_fini(&reader);
	return lines;
}

/* sum_line - add the numbers up to the first word that is none. */
static uint64_t sum_line(struct reader *reader)
{
	uint64_t sum = 0;
	int character = skip_blanks(reader);

	while (character != END_OF_FILE && isdigit(character)) {
		uint64_t number;

		character = take_number(reader, character, &number);
		sum += number;
		if (character != ' ' && character != '\t')
			break;
		character = skip_blanks(reader);
	}
	return sum;
}

bool proc_row_sum(const char *path, const char *row, uint64_t *sum)
{
	struct reader reader;
	bool found = false;
	int character = 0;

	if (!reader_init(&reader, path))
		return false;
	while (!found && character != END_OF_FILE) {
		found = is_row(&reader, row, &character);
		if (found)
			*sum = sum_line(&reader);
		while (!found && character != '\n' && character != END_OF_FILE)
			character = reader_take(&reader);
	}
	reader_fini(&reader);
	return found;
}

int proc_read_text(const char *path, char *text, size_t bytes)
{
	struct reader reader;
	size_t length = 0;

	if (!reader_init(&reader, path))
		return -errno;
	while (length + 1 < bytes) {
		const int character = reader_take(&reader);

		if (character == END_OF_FILE)
			break;
		text[length++] = (char)character;
	}
	text[length] = '\0';
	reader_fini(&reader);
	return 0;
}
