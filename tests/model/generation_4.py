# SPDX-License-Identifier: MIT
"""Generation 4: pools of exact sizes, node by node, before 6.1's holes."""

from generation import PAGE, LazyGeneration
from generation_3 import MUST_MEET_HOLES
from hole_tree import HoleTree, length_518, merged

SLOT_BYTES = 16 * PAGE  # neighbouring slots belong to neighbouring nodes
POOL_PAGES_MAX = 256
DECAY_PART = 4  # of each pool, one range in so many


class Node:
    def __init__(self):
        self.pools = {}  # pages -> starts, the next to be taken first
        self.lazy = []  # (start, end, id of the allocating node or None)


class Nodes612(LazyGeneration):
    """Linux 6.12.

    An allocation from the full window looks at the first range in the pool of
    its very size, at the node of its CPU.  Aligned: taken.  Not aligned: put
    last, and this is a miss.  A miss, any other window, and an engine with one
    node take from the tree of holes.  An area of the full window remembers the
    node of its CPU, hit or miss.

    A freed area is lazy at the node it remembers, else at that of its address.

    A purge goes through the nodes and makes holes of a quarter of each pool,
    from its front, or of all of it if the purge is a full one.  Then each
    node's lazy areas, from the lowest on, go to the front of the pool of the
    node they remember, or become holes: if they remember none, are too long,
    or the purge is full.
    """

    MUST_MEET = MUST_MEET_HOLES + (
        "pool: taken",
        "pool: not aligned",
        "pool: decayed in part",
        "pool: decayed whole",
        "pool: too long",
        "freed on another CPU",
    )

    def __init__(self, window):
        super().__init__(window)
        self.holes = HoleTree(length_518, self.met)
        self.nodes = [Node() for _ in range(window.nodes)]
        self.areas = {}  # start -> size, id of the allocating node or None

    def take_pooled(self, request, node_id):
        pool = self.nodes[node_id].pools.get(request.size // PAGE)
        if not pool:
            return None
        start = pool.pop(0)
        if start % request.align == 0:
            self.met["pool: taken"] += 1
            return start
        self.met["pool: not aligned"] += 1
        pool.append(start)
        return None

    def place(self, request):
        window = self.window
        node_id = start = None
        is_whole = (request.vstart, request.vend) == (window.start, window.end)
        if window.nodes > 1 and is_whole:
            node_id = self.cpu % window.nodes
            start = self.take_pooled(request, node_id)
        if start is None:
            start = self.holes.take(request)
        if start is not None:
            self.areas[start] = (request.size, node_id)
        return start

    def retire(self, start):
        size, node_id = self.areas.pop(start)
        if node_id is None:
            lazy_id = start // SLOT_BYTES % self.window.nodes
        else:
            lazy_id = node_id
            here = self.cpu % self.window.nodes
            self.met["freed on another CPU"] += node_id != here
        self.nodes[lazy_id].lazy.append((start, start + size, node_id))
        return size

    def decay(self, node, full):
        decayed = []
        for pages, pool in node.pools.items():
            count = len(pool) if full else len(pool) // DECAY_PART
            if count > 0:
                how = "whole" if full else "in part"
                self.met[f"pool: decayed {how}"] += 1
            decayed += [(start, start + pages * PAGE) for start in pool[:count]]
            del pool[:count]
        for start, end in merged(decayed):
            self.holes.give(start, end)

    def settle(self, node, full):
        """The lazy areas of a node go to pools, or else to the holes."""
        holes = []
        for start, end, node_id in sorted(node.lazy, key=lambda lazy: lazy[0]):
            pages = (end - start) // PAGE
            if full or node_id is None:
                holes.append((start, end))
            elif pages > POOL_PAGES_MAX:
                self.met["pool: too long"] += 1
                holes.append((start, end))
            else:
                pool = self.nodes[node_id].pools.setdefault(pages, [])
                pool.insert(0, start)
        node.lazy.clear()
        for start, end in reversed(holes):
            self.holes.give(start, end)

    def drain(self, full):
        for node in self.nodes:
            self.decay(node, full)
        for node in self.nodes:
            self.settle(node, full)
