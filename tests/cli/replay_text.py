# SPDX-License-Identifier: MIT
"""replay_text.py - recordings written by tests, as tracefs prints them."""

PAGE = 4096
START = 0xFFFFC90000000000
END = 0xFFFFE8FFFFFFFFFF
MODULES_START = 0xFFFFFFFFC0000000
MODULES_END = 0xFFFFFFFFFF000000


class Recording:
    """Collects events; each is a microsecond after the one before."""

    def __init__(self):
        self.lines = ["# tracer: nop"]

    def event(self, cpu, text):
        us = len(self.lines)
        self.lines.append(
            f"            task-{cpu + 1}     [{cpu:03}] .....     "
            f"{us // 10**6}.{us % 10**6:06}: {text}"
        )

    def alloc(self, page, pages, cpu=0, modules=False, align=1, window=None):
        """`window`: first and last page of a part of the vmalloc space."""
        start = MODULES_START if modules else START
        end = MODULES_END if modules else END
        bounds = (start, end)
        if window:
            bounds = tuple(start + at * PAGE for at in window)
        self.event(
            cpu,
            f"alloc_vmap_area: va_start: {start + page * PAGE} "
            f"size={pages * PAGE} align={align} "
            f"vstart={bounds[0]:#x} vend={bounds[1]:#x} failed=0",
        )

    def free(self, page, cpu=0, modules=False):
        start = MODULES_START if modules else START
        self.event(
            cpu,
            f"free_vmap_area_noflush: va_start={start + page * PAGE:#x} "
            "nr_lazy=1 nr_lazy_max=16384",
        )

    def text(self):
        return "\n".join(self.lines) + "\n"


def snapshot(*ranges):
    """/proc/vmallocinfo with these (page, pages) live."""
    return "".join(
        f"{START + page * PAGE:#018x}-{START + (page + pages) * PAGE:#018x} "
        f"{pages * PAGE:7} task+0x1/0x2 vmalloc\n"
        for page, pages in ranges
    )
