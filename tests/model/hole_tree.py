# SPDX-License-Identifier: MIT
"""The free side of generation 3: search, cut and merge in the tree of holes."""

from generation import PAGE, align_up
from red_black import LEFT, RIGHT, Node, RedBlackTree

# The kernel's tree covers [1, ULONG_MAX]; here in pages, and without the last.
ALL_START = PAGE
ALL_END = (1 << 64) - PAGE


def length_510(request):
    """5.2 to 5.15: room for any offset, even where no alignment is asked."""
    return request.size + request.align - 1


def length_518(request):
    """5.18: room for any offset only above a page's alignment, and not where
    the window has the very size, for then there is one offset only."""
    only_place = request.vend - request.vstart == request.size
    if request.align <= PAGE or only_place:
        return request.size
    return request.size + request.align - 1


class HoleTree(RedBlackTree):
    """All holes, of the window and around it, never two that touch.

    length_of says how long a hole must be for the search to go to it; the hole
    that is met may be shorter, if the request fits at its alignment.
    """

    def __init__(self, length_of, met):
        super().__init__()
        self.length_of = length_of
        self.met = met
        self.insert(Node(ALL_START, ALL_END))

    @staticmethod
    def place_in(hole, request, low):
        """Where the hole takes the request at or above `low`, or None."""
        start = align_up(max(hole.start, low), request.align)
        return start if start + request.size <= hole.end else None

    def find(self, request):
        """The hole and the place of 5.2's lowest match, or None twice.

        To the left while something long enough lies there and the hole begins
        above the window's start; else this hole, if it takes the request; else
        to the right, if something long enough lies there; else up.  On the way
        up each hole is asked, and then its right side, from behind the hole on.
        The end of the window plays no part.
        """
        length = self.length_of(request)
        low = request.vstart

        def is_long_enough(node):
            return node is not None and node.largest >= length

        hole = self.root
        while hole:
            if is_long_enough(hole.child[LEFT]) and low < hole.start:
                hole = hole.child[LEFT]
                continue
            start = self.place_in(hole, request, low)
            if start is not None:
                return hole, start
            if is_long_enough(hole.child[RIGHT]):
                hole = hole.child[RIGHT]
                continue
            self.met["search that climbed"] += 1
            hole = hole.parent
            while hole:
                start = self.place_in(hole, request, low)
                if start is not None:
                    return hole, start
                if is_long_enough(hole.child[RIGHT]) and low <= hole.start:
                    low = hole.start + 1
                    hole = hole.child[RIGHT]
                    break
                hole = hole.parent
        return None, None

    def take(self, request):
        """Find a place and cut it out; None: the lowest is past the window."""
        hole, start = self.find(request)
        if hole is None or start + request.size > request.vend:
            return None
        end = start + request.size
        if start == hole.start and end == hole.end:
            self.met["cut: the whole hole"] += 1
            self.erase(hole)
        elif start == hole.start:
            self.met["cut: the left edge"] += 1
            hole.start = end
            self.update(hole)
        elif end == hole.end:
            self.met["cut: the right edge"] += 1
            hole.end = start
            self.update(hole)
        else:
            self.met["cut: the middle"] += 1
            left = Node(hole.start, start)
            hole.start = end
            self.update(hole)
            self.insert(left)
        return start

    def neighbours(self, address):
        """The last hole that begins at or below the address, and the next."""
        before = after = None
        hole = self.root
        while hole:
            if hole.start <= address:
                before, hole = hole, hole.child[RIGHT]
            else:
                after, hole = hole, hole.child[LEFT]
        return before, after

    def give(self, start, end):
        """A range becomes a hole, whole with what it touches.

        The next hole is grown down first.  If the one before touches as well,
        the next one leaves the tree and the one before grows over both.
        """
        before, after = self.neighbours(start)
        touches_before = before is not None and before.end == start
        touches_after = after is not None and after.start == end
        if touches_after:
            after.start = start
            self.update(after)
        if touches_before:
            if touches_after:
                self.met["merge with both sides"] += 1
                end = after.end
                self.erase(after)
            before.end = end
            self.update(before)
        elif not touches_after:
            self.insert(Node(start, end))


def merged(ranges):
    """Ranges in the order of their addresses, those that touch made one."""
    whole = []
    for start, end in sorted(ranges):
        if whole and whole[-1][1] == start:
            whole[-1] = (whole[-1][0], end)
        else:
            whole.append((start, end))
    return whole
