/* SPDX-License-Identifier: MIT */
#include "cmd/replay_input.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cmd/replay_snapshot.h"
#include "cmd/say.h"

/* The memory file: this, the steps, the CPUs. */
struct head {
	struct cell cell;
	struct trace_program program; /* its pointers mean nothing here */
};

static int bytes_write(int fd, const void *bytes, size_t count, off_t at)
{
	const char *from = bytes;

	while (count > 0) {
		const ssize_t done = pwrite(fd, from, count, at);

		if (done < 0 && errno != EINTR)
			return -errno;
		if (done > 0) {
			from += done;
			at += done;
			count -= (size_t)done;
		}
	}
	return 0;
}

static int bytes_read(int fd, void *bytes, size_t count, off_t at)
{
	char *to = bytes;

	while (count > 0) {
		const ssize_t done = pread(fd, to, count, at);

		if (done == 0)
			return -EINVAL;
		if (done < 0 && errno != EINTR)
			return -errno;
		if (done > 0) {
			to += done;
			at += done;
			count -= (size_t)done;
		}
	}
	return 0;
}

static size_t steps_bytes(const struct trace_program *program)
{
	return program->step_count * sizeof(*program->steps);
}

static size_t cpus_bytes(const struct trace_program *program)
{
	return program->cpu_count * sizeof(*program->cpu_ids);
}

int replay_input_give(const struct replay_input *input, const struct cell *cell)
{
	const struct head head = { *cell, input->program };

	return bytes_write(input->fd, &head, sizeof(head), 0);
}

int replay_input_take(int fd, struct cell *cell, struct trace_program *program)
{
	struct head head;
	int err = bytes_read(fd, &head, sizeof(head), 0);

	if (err)
		return err;

	struct trace_program *made = &head.program;

	made->steps = calloc(made->step_count + 1, sizeof(*made->steps));
	made->cpu_ids =
		calloc(made->cpu_count + (size_t)1, sizeof(*made->cpu_ids));
	err = made->steps && made->cpu_ids ? 0 : -ENOMEM;
	if (!err)
		err = bytes_read(fd, made->steps, steps_bytes(made),
				 sizeof(head));
	if (!err)
		err = bytes_read(fd, made->cpu_ids, cpus_bytes(made),
				 (off_t)(sizeof(head) + steps_bytes(made)));
	if (err) {
		free(made->steps);
		free(made->cpu_ids);
		return err;
	}
	*cell = head.cell;
	*program = head.program;
	return 0;
}

static int store(struct replay_input *input)
{
	const struct trace_program *program = &input->program;
	const off_t steps_at = sizeof(struct head);

	/* Without MFD_CLOEXEC: the processes inherit it. */
	input->fd = memfd_create("lfv-replay", 0);
	if (input->fd < 0)
		return -errno;

	int err = bytes_write(input->fd, program->steps, steps_bytes(program),
			      steps_at);

	if (!err)
		err = bytes_write(input->fd, program->cpu_ids,
				  cpus_bytes(program),
				  steps_at + (off_t)steps_bytes(program));
	if (err)
		close(input->fd);
	return err;
}

static void name_fill(struct replay_input *input, const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *last = slash ? slash + 1 : path;

	snprintf(input->name, sizeof(input->name), "%s",
		 strcmp(path, "-") == 0 ? "stdin" : last);
}

/* The text, the snapshot, and the program that both make. */
static int program_make(struct replay_input *input,
			const struct replay_source *source)
{
	struct trace trace = { 0 };
	struct trace_snapshot snapshot = { 0 };
	struct trace_why why = { .text = "" };
	int err = trace_read(source->path, &why, &trace);

	if (!err && input->snapshot[0])
		err = trace_snapshot_read(input->snapshot, &why, &snapshot);
	if (!err)
		err = trace_resolve(&trace,
				    input->snapshot[0] ? &snapshot : NULL, &why,
				    &input->program);
	if (err)
		say("replay: %s", why.text);
	input->format = trace.format;
	trace_fini(&trace);
	trace_snapshot_fini(&snapshot);
	return err;
}

int replay_input_init(struct replay_input *input,
		      const struct replay_source *source)
{
	struct replay_input *made = calloc(1, sizeof(*made));

	if (!made)
		return -ENOMEM;
	name_fill(made, source->path);
	if (source->snapshot)
		snprintf(made->snapshot, sizeof(made->snapshot), "%s",
			 source->snapshot);
	else if (!source->no_snapshot)
		replay_snapshot_find(source->path, made->snapshot);

	int err = program_make(made, source);

	if (!err) {
		err = store(made);
		if (err) {
			say("replay: %s: %s", source->path, strerror(-err));
			trace_program_fini(&made->program);
		}
	}
	if (!err)
		*input = *made;
	free(made);
	return err;
}

void replay_input_fini(struct replay_input *input)
{
	trace_program_fini(&input->program);
	close(input->fd);
}
