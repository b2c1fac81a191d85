# SPDX-License-Identifier: MIT
"""What the models of all generations share.

A model knows where each area lies, and nothing else: no locks, no pages, no
mappings.  It is written from the same descriptions as the engine, apart from
it, in another language and with other structures, so that a rule that was
misread once is not misread twice.

Addresses and sizes are bytes; a size includes the guard page.  `met` counts
the special cases that a trace went through.  A row names in MUST_MEET those
without which a replay proves little.
"""

import collections

PAGE = 4096

# The engine's window, the lazy pages that make a purge due, the vmap nodes.
Window = collections.namedtuple("Window", "start end lazy_max nodes")

# What is asked of one allocation; align is 1 where none is asked for.
Request = collections.namedtuple("Request", "size align vstart vend")


def align_up(address, align):
    return (address + align - 1) // align * align


class Generation:
    """A model; each row gives it

    alloc(request)   the address of a new area, or None: refused
    free(start)      the area is no longer live
    """

    MUST_MEET = ()

    def __init__(self, window):
        self.window = window
        self.cpu = 0
        self.met = collections.Counter()

    def purge(self):
        """lfv_purge(): whatever is lazy becomes a hole."""


class LazyGeneration(Generation):
    """2.6.28 and later: a freed area waits for a purge.

    A free that takes the lazy pages past lazy_max purges; an allocation that
    finds no place purges once, in full, and tries once more.

    Each row gives it

    place(request)   the address of a new area, or None
    retire(start)    the area becomes lazy; returns its bytes
    drain(full)      what is lazy becomes usable again
    """

    def __init__(self, window):
        super().__init__(window)
        self.lazy_pages = 0

    def alloc(self, request):
        start = self.place(request)
        if start is None:
            self.purge()
            start = self.place(request)
            self.met["overflow that a purge mended"] += start is not None
        return start

    def free(self, start):
        self.lazy_pages += self.retire(start) // PAGE
        if self.lazy_pages > self.window.lazy_max:
            self.met["purge by a free"] += 1
            self.lazy_pages = 0
            self.drain(full=False)

    def purge(self):
        self.lazy_pages = 0
        self.drain(full=True)
