# SPDX-License-Identifier: MIT
"""Generation 3: a tree of holes instead of a walk over the areas."""

from generation import LazyGeneration
from hole_tree import HoleTree, length_510, length_518, merged

MUST_MEET_HOLES = (
    "overflow that a purge mended",
    "purge by a free",
    "search that climbed",
    "cut: the whole hole",
    "cut: the left edge",
    "cut: the right edge",
    "cut: the middle",
    "merge with both sides",
)


class Augmented510(LazyGeneration):
    """Linux 5.10.

    The search length always allows for any offset.  Lazy areas wait on a stack
    and become holes one by one, the one freed last first.
    """

    MUST_MEET = MUST_MEET_HOLES
    LENGTH_OF = staticmethod(length_510)

    def __init__(self, window):
        super().__init__(window)
        self.holes = HoleTree(self.LENGTH_OF, self.met)
        self.sizes = {}
        self.lazy = []

    def place(self, request):
        start = self.holes.take(request)
        if start is not None:
            self.sizes[start] = request.size
        return start

    def retire(self, start):
        size = self.sizes.pop(start)
        self.lazy.append((start, start + size))
        return size

    def lazy_in_order(self):
        return reversed(self.lazy)

    def drain(self, full):
        for start, end in self.lazy_in_order():
            self.holes.give(start, end)
        self.lazy.clear()


class Augmented61(Augmented510):
    """Linux 6.1.

    The search length allows for any offset where it must (5.18).  Lazy areas
    merge with each other in a tree of their own (5.11), and become holes from
    the lowest on.
    """

    LENGTH_OF = staticmethod(length_518)

    def lazy_in_order(self):
        return merged(self.lazy)
