/* SPDX-License-Identifier: MIT */
#include "cmd/interrupt.h"

#include <errno.h>
#include <sys/signalfd.h>
#include <unistd.h>

int interrupt_begin(struct interrupt *interrupt)
{
	struct interrupt begun = { .fd = -1 };
	sigset_t held;

	sigemptyset(&held);
	sigaddset(&held, SIGINT);
	sigaddset(&held, SIGTERM);
	sigaddset(&held, SIGHUP);
	sigaddset(&held, SIGCHLD);
	if (sigprocmask(SIG_BLOCK, &held, &begun.outside) != 0)
		return -errno;
	begun.fd = signalfd(-1, &held, SFD_NONBLOCK | SFD_CLOEXEC);
	if (begun.fd < 0) {
		const int err = -errno;

		sigprocmask(SIG_SETMASK, &begun.outside, NULL);
		return err;
	}
	*interrupt = begun;
	return 0;
}

void interrupt_end(struct interrupt *interrupt)
{
	interrupt_take(interrupt);
	close(interrupt->fd);
	sigprocmask(SIG_SETMASK, &interrupt->outside, NULL);
}

bool interrupt_take(struct interrupt *interrupt)
{
	struct signalfd_siginfo info;

	while (read(interrupt->fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo != SIGCHLD)
			interrupt->signal = (int)info.ssi_signo;
	}
	return interrupt->signal != 0;
}
