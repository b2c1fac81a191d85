# SPDX-License-Identifier: MIT
"""A red-black tree of holes that knows the largest hole below each node.

The search of generation 3 does not always give the lowest place: which holes
an aligned request looks at depends on how the tree has grown.  So the model
needs the very tree: the textbook's insertion, with the new node a red leaf,
and its deletion, in which a node with two children is replaced by the next one
to the right.
"""

LEFT, RIGHT = 0, 1


class Node:
    """A hole [start, end); largest: the longest one at or below it."""

    __slots__ = ("start", "end", "child", "parent", "red", "largest")

    def __init__(self, start, end):
        self.start = start
        self.end = end
        self.child = [None, None]
        self.parent = None
        self.red = True
        self.largest = end - start

    def measure(self):
        self.largest = self.end - self.start
        for child in self.child:
            if child and child.largest > self.largest:
                self.largest = child.largest


def is_red(node):
    return node is not None and node.red


class RedBlackTree:
    def __init__(self):
        self.root = None

    def update(self, node):
        """The hole changed its size: measure again from it to the root."""
        while node:
            node.measure()
            node = node.parent

    def replace(self, old, new):
        """`new`, or nothing, hangs where `old` hung."""
        parent = old.parent
        if parent is None:
            self.root = new
        else:
            parent.child[int(parent.child[RIGHT] is old)] = new
        if new:
            new.parent = parent

    def rotate(self, node, side):
        """The node goes down on that side; its other child takes its place."""
        riser = node.child[1 - side]
        inner = riser.child[side]
        self.replace(node, riser)
        node.child[1 - side] = inner
        if inner:
            inner.parent = node
        riser.child[side] = node
        node.parent = riser
        node.measure()
        riser.measure()

    def insert(self, node):
        parent, side, at = None, LEFT, self.root
        while at:
            parent = at
            side = int(node.start >= at.end)
            at = at.child[side]
        node.parent = parent
        if parent is None:
            self.root = node
        else:
            parent.child[side] = node
        self.update(node)
        self.mend_red(node)

    def mend_red(self, node):
        """No red node keeps a red parent."""
        while is_red(node.parent):
            parent = node.parent
            grand = parent.parent
            side = int(grand.child[RIGHT] is parent)
            uncle = grand.child[1 - side]
            if is_red(uncle):
                parent.red = uncle.red = False
                grand.red = True
                node = grand
                continue
            if node is parent.child[1 - side]:
                self.rotate(parent, side)
                parent = node
            parent.red = False
            grand.red = True
            self.rotate(grand, 1 - side)
            break
        self.root.red = False

    def erase(self, node):
        if node.child[LEFT] and node.child[RIGHT]:
            below, above, was_red = self.replace_by_next(node)
        else:
            below = node.child[LEFT] or node.child[RIGHT]
            above = node.parent
            was_red = node.red
            self.replace(node, below)
        self.update(above)
        if not was_red:
            self.mend_black(below, above)

    def replace_by_next(self, node):
        """The next node to the right moves here and takes the colour."""
        heir = node.child[RIGHT]
        while heir.child[LEFT]:
            heir = heir.child[LEFT]
        below, above, was_red = heir.child[RIGHT], heir.parent, heir.red
        if above is node:
            above = heir
        else:
            self.replace(heir, below)
            heir.child[RIGHT] = node.child[RIGHT]
            heir.child[RIGHT].parent = heir
        self.replace(node, heir)
        heir.child[LEFT] = node.child[LEFT]
        heir.child[LEFT].parent = heir
        heir.red = node.red
        return below, above, was_red

    def mend_black(self, node, parent):
        """The paths through `node` are one black node short."""
        while node is not self.root and not is_red(node):
            side = int(parent.child[LEFT] is not node)
            far = 1 - side
            sibling = parent.child[far]
            if sibling.red:
                sibling.red = False
                parent.red = True
                self.rotate(parent, side)
                sibling = parent.child[far]
            if not is_red(sibling.child[LEFT]) and not is_red(
                sibling.child[RIGHT]
            ):
                sibling.red = True
                node, parent = parent, parent.parent
                continue
            if not is_red(sibling.child[far]):
                sibling.child[side].red = False
                sibling.red = True
                self.rotate(sibling, far)
                sibling = parent.child[far]
            sibling.red = parent.red
            parent.red = False
            sibling.child[far].red = False
            self.rotate(parent, side)
            node = self.root
        if node:
            node.red = False
