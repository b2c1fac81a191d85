# SPDX-License-Identifier: MIT
"""Generation 2: a tree of areas, live and lazy, and a walk over its order.

Freed areas keep their place until a purge, and are walked over like live ones.

The kernel goes down a tree to find where the walk begins.  Of two areas that
touch at the address it may meet either first; the walk then comes to the same
place, so that a sorted list with a binary search tells the same addresses.
"""

import bisect

from generation import PAGE, LazyGeneration, align_up


class BusyAreas(LazyGeneration):
    """Areas in the order of their addresses, lazy ones among them."""

    def __init__(self, window):
        super().__init__(window)
        self.starts = []
        self.ends = {}
        self.lazy = []

    def first_reaching(self, address):
        """Index of the lowest area that ends at or above the address."""
        index = bisect.bisect_right(self.starts, address)
        while index > 0 and self.ends[self.starts[index - 1]] >= address:
            index -= 1
        return index

    def insert(self, start, size):
        bisect.insort(self.starts, start)
        self.ends[start] = start + size

    def retire(self, start):
        self.lazy.append(start)
        return self.ends[start] - start

    def drain(self, full):
        for start in reversed(self.lazy):
            self.erase(start)
        self.lazy.clear()

    def erase(self, start):
        self.starts.pop(bisect.bisect_left(self.starts, start))
        del self.ends[start]


class Rbtree2628(BusyAreas):
    """Linux 2.6.28, as generation 2 was merged.

    Each search begins at the aligned start of the window.  While the request
    would end at or above the next area's start, even exactly there, it moves
    behind that area, a spare page further, and up to the alignment.
    """

    MUST_MEET = ("overflow that a purge mended", "purge by a free")

    def place(self, request):
        size, align, vstart, vend = request
        address = align_up(vstart, align)
        index = self.first_reaching(address)
        for start in self.starts[index:]:
            if address + size < start or address + size > vend:
                break
            address = align_up(self.ends[start] + PAGE, align)
        if address + size > vend:
            return None
        self.insert(address, size)
        return address


class Rbtree419(BusyAreas):
    """Linux 4.19, with the cache that 2.6.39 brought.

    The search goes on behind `cache`, the area placed last, unless a lower
    place might do: the request is smaller than the largest hole passed by,
    begins below the start of the last request, or is less aligned than it.
    Then, and if the place behind the cache lies below the request's window, it
    begins at the window's start and forgets the hole.

    A request may end exactly where the next area starts.  Holes passed by are
    measured from the address tried, alignment included.

    A purge that erases an area below the last request's window drops the
    cache; one at or below the cache moves it to the area before.  The largest
    hole is not mended, so the place is not always the lowest.
    """

    MUST_MEET = (
        "overflow that a purge mended",
        "purge by a free",
        "cache used",
        "cache dropped: a hole passed by might do",
        "cache dropped: the window begins lower",
        "cache dropped: less aligned",
        "cache dropped: it lies below the window",
        "cache moved to the area before",
    )

    def __init__(self, window):
        super().__init__(window)
        self.cache = None  # the start of an area
        self.hole_size = 0
        self.last_vstart = 0
        self.last_align = 0

    def drop_cache(self, why):
        self.met[f"cache dropped: {why}"] += 1
        self.cache = None
        self.hole_size = 0

    def prepare_cache(self, size, align, vstart):
        if self.cache is None:
            self.hole_size = 0
        elif size < self.hole_size:
            self.drop_cache("a hole passed by might do")
        elif vstart < self.last_vstart:
            self.drop_cache("the window begins lower")
        elif align < self.last_align:
            self.drop_cache("less aligned")
        self.last_vstart = vstart
        self.last_align = align
        if self.cache is None:
            return
        if align_up(self.ends[self.cache], align) < vstart:
            self.drop_cache("it lies below the window")

    def place(self, request):
        size, align, vstart, vend = request
        self.prepare_cache(size, align, vstart)
        if self.cache is None:
            address = align_up(vstart, align)
            index = self.first_reaching(address)
        else:
            self.met["cache used"] += 1
            address = align_up(self.ends[self.cache], align)
            index = bisect.bisect_left(self.starts, self.cache)
        for start in self.starts[index:]:
            if address + size <= start or address + size > vend:
                break
            self.hole_size = max(self.hole_size, start - address)
            address = align_up(self.ends[start], align)
        if address + size > vend:
            return None
        self.insert(address, size)
        self.cache = address
        return address

    def erase(self, start):
        if self.cache is not None:
            if self.ends[start] < self.last_vstart:
                self.cache = None
            elif start <= self.cache:
                self.met["cache moved to the area before"] += 1
                index = bisect.bisect_left(self.starts, start)
                self.cache = self.starts[index - 1] if index > 0 else None
        super().erase(start)
