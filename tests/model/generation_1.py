# SPDX-License-Identifier: MIT
"""Generation 1: a sorted list of areas, searched from its head."""

import bisect

from generation import Generation, align_up


class List2624(Generation):
    """Linux 2.6.24.

    A cursor begins at the aligned start of the window.  Areas that begin below
    it push it behind their end if they reach it.  At each other area it is
    asked whether the request ends at or before the area's start; if so it is
    placed at the cursor, and if not, the cursor goes behind the area.  Past the
    end of the window the search is over.

    Nothing is lazy: what is freed is a hole at once.
    """

    MUST_MEET = ("hole of the very size", "refused")
    USES_EXACT_HOLES = True

    def __init__(self, window):
        super().__init__(window)
        self.starts = []
        self.ends = {}

    def fits(self, cursor, size, limit):
        if cursor + size == limit:
            self.met["hole of the very size"] += 1
            return self.USES_EXACT_HOLES
        return cursor + size < limit

    def cursor_of(self, request):
        cursor = align_up(request.vstart, request.align)
        for start in self.starts:
            if start < cursor:
                if self.ends[start] >= cursor:
                    cursor = align_up(self.ends[start], request.align)
                continue
            if self.fits(cursor, request.size, start):
                break
            cursor = align_up(self.ends[start], request.align)
            if cursor > request.vend - request.size:
                break
        return cursor

    def alloc(self, request):
        cursor = self.cursor_of(request)
        if cursor + request.size > request.vend:
            self.met["refused"] += 1
            return None
        bisect.insort(self.starts, cursor)
        self.ends[cursor] = cursor + request.size
        return cursor

    def free(self, start):
        self.starts.remove(start)
        del self.ends[start]


class List240(List2624):
    """Linux 2.4.0: a hole must be larger than the request.

    The comparison with the next area is strict, so a hole of the very size is
    passed by.  The end of the window is no area: there it may end exactly.
    2.4.0 had neither alignment nor sub-windows; both follow 2.6.24.
    """

    USES_EXACT_HOLES = False
