/* SPDX-License-Identifier: MIT */
#include "cmd/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	READ_BYTES = 16384,
	NS_PER_MS = 1000 * 1000,
	EXIT_NOT_FOUND = 127, /* as shells have it */
};

static const uint64_t NS_PER_S = 1000 * 1000 * 1000;

struct child {
	pid_t pid;
	int output_fd;
	int tail_fd;
	char *output;
	size_t output_bytes;
	size_t tail_bytes;
};

static uint64_t clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

/* In the new process: becomes the program, or says why not. */
_Noreturn static void child_become(char *const *argv, const sigset_t *mask,
				   int output_fd, int tail_fd)
{
	const int input_fd = open("/dev/null", O_RDONLY);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setpgid(0, 0);
	if (input_fd >= 0 && dup2(input_fd, STDIN_FILENO) >= 0 &&
	    dup2(output_fd, STDOUT_FILENO) >= 0 &&
	    dup2(tail_fd, STDERR_FILENO) >= 0) {
		sigprocmask(SIG_SETMASK, mask, NULL);
		execv(argv[0], argv);
	}

	const char *why = strerror(errno);
	const ssize_t told = write(STDERR_FILENO, why, strlen(why));

	_exit(told < 0 ? EXIT_NOT_FOUND : EXIT_NOT_FOUND);
}

static int pipes_open(int output[2], int tail[2])
{
	if (pipe2(output, O_CLOEXEC) != 0)
		return -errno;
	if (pipe2(tail, O_CLOEXEC) != 0) {
		const int err = -errno;

		close(output[0]);
		close(output[1]);
		return err;
	}
	fcntl(output[0], F_SETFL, O_NONBLOCK);
	fcntl(tail[0], F_SETFL, O_NONBLOCK);
	return 0;
}

static int child_begin(struct child *child, char *const *argv,
		       const sigset_t *mask)
{
	int output[2];
	int tail[2];
	const int err = pipes_open(output, tail);

	if (err)
		return err;

	const pid_t pid = fork();

	if (pid == 0)
		child_become(argv, mask, output[1], tail[1]);

	const int fork_err = pid < 0 ? -errno : 0;

	close(output[1]);
	close(tail[1]);
	if (fork_err) {
		close(output[0]);
		close(tail[0]);
		return fork_err;
	}
	/* Both sides do it: whoever comes first, the group is there. */
	setpgid(pid, pid);
	*child = (struct child){
		.pid = pid,
		.output_fd = output[0],
		.tail_fd = tail[0],
	};
	return 0;
}

/* False when nothing more will come. */
static bool output_read(struct child *child)
{
	for (;;) {
		char *grown = realloc(child->output,
				      child->output_bytes + READ_BYTES + 1);

		if (!grown)
			return false;
		child->output = grown;

		const ssize_t got =
			read(child->output_fd, grown + child->output_bytes,
			     READ_BYTES);

		if (got > 0)
			child->output_bytes += (size_t)got;
		grown[child->output_bytes] = '\0';
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 && errno == EAGAIN;
	}
}

/* Keeps the last bytes: what a program says last is why it ended. */
static void tail_keep(struct child *child, char tail[CHILD_TAIL_BYTES],
		      const char *text, size_t bytes)
{
	const size_t room = CHILD_TAIL_BYTES - 1;

	if (bytes > room) {
		text += bytes - room;
		bytes = room;
	}
	if (child->tail_bytes + bytes > room) {
		const size_t drop = child->tail_bytes + bytes - room;

		memmove(tail, tail + drop, child->tail_bytes - drop);
		child->tail_bytes -= drop;
	}
	memcpy(tail + child->tail_bytes, text, bytes);
	child->tail_bytes += bytes;
	tail[child->tail_bytes] = '\0';
}

static bool tail_read(struct child *child, char tail[CHILD_TAIL_BYTES])
{
	char text[READ_BYTES];
	ssize_t got = 0;

	while ((got = read(child->tail_fd, text, sizeof(text))) > 0)
		tail_keep(child, tail, text, (size_t)got);
	return got < 0 && (errno == EAGAIN || errno == EINTR);
}

/* Whether it has ended; it stays a zombie, so that its group keeps its id. */
static bool child_has_ended(const struct child *child)
{
	siginfo_t info = { 0 };

	return waitid(P_PID, (id_t)child->pid, &info,
		      WEXITED | WNOHANG | WNOWAIT) == 0 &&
	       info.si_pid == child->pid;
}

/* H1: the whole group, for a program may have started others. */
static int child_reap(const struct child *child)
{
	int status = 0;

	kill(-child->pid, SIGKILL);
	while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

static int wait_ms(uint64_t deadline_ns)
{
	const uint64_t now = clock_ns();

	if (now >= deadline_ns)
		return 0;

	const uint64_t ms = (deadline_ns - now) / NS_PER_MS + 1;
	const uint64_t ms_max = 60 * 1000;

	return (int)(ms < ms_max ? ms : ms_max);
}

/* Until it has ended, one way or another. */
static void child_follow(struct child *child, uint64_t deadline_ns,
			 struct interrupt *interrupt, struct child_end *end)
{
	struct pollfd polls[] = {
		{ .fd = interrupt->fd, .events = POLLIN },
		{ .fd = child->output_fd, .events = POLLIN },
		{ .fd = child->tail_fd, .events = POLLIN },
	};

	while (!child_has_ended(child)) {
		const int ms = wait_ms(deadline_ns);

		if (ms == 0) {
			end->overran = true;
			return;
		}
		poll(polls, sizeof(polls) / sizeof(polls[0]), ms);
		if (polls[1].fd >= 0 && !output_read(child))
			polls[1].fd = -1;
		if (polls[2].fd >= 0 && !tail_read(child, end->tail))
			polls[2].fd = -1;
		if (interrupt_take(interrupt)) {
			end->broken_off = true;
			return;
		}
	}
}

int child_run(char *const *argv, uint64_t limit_ns, struct interrupt *interrupt,
	      struct child_end *end)
{
	struct child child;
	const int err = child_begin(&child, argv, &interrupt->outside);

	if (err)
		return err;
	memset(end, 0, sizeof(*end));
	child_follow(&child, clock_ns() + limit_ns, interrupt, end);

	const int status = child_reap(&child);

	output_read(&child);
	tail_read(&child, end->tail);
	close(child.output_fd);
	close(child.tail_fd);
	end->output = child.output;
	end->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	end->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	return 0;
}
