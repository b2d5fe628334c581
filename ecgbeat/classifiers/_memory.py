"""What happens to the memory of a batch when the next one is about to need it."""

from functools import cache

import torch

_LARGEST_LEARNED_BYTES = 32 * 2**20  # glibc's DEFAULT_MMAP_THRESHOLD_MAX on 64-bit systems
_MARGIN_BYTES = 2**16  # for the block's header and alignment


@cache
def keep_freed_memory() -> None:
    """Let the C library keep the memory of one batch for the next, once and for all.

    glibc hands the end of its heap back to the system as soon as more is free there than twice
    the largest block that was ever mapped by itself and released (mallopt(3), "dynamic mmap
    threshold"). The activations of a batch are more than that at first, so every step of training
    gets them back page by page: up to a tenth of its time. A block just below the largest size
    that glibc learns from, never touched, teaches it to keep up to 64 MB. Elsewhere than on glibc
    nothing changes.
    """
    torch.empty(_LARGEST_LEARNED_BYTES - _MARGIN_BYTES, dtype=torch.uint8)
