"""NumPy's arrays beside pages of memory that nobody may touch: one element too far ends the process.

So it is seen also where Numba's own check of indices does not look, in the vector loads of
`kernels/numba_kernels/vectors.py`, and where what is read too much is thrown away. What compiled loops ask
for themselves (`np.empty` inside of them) is not among it.
"""

from __future__ import annotations

import ctypes
import mmap
from typing import Any

import numpy as np

PAGE = mmap.PAGESIZE
SET_HANDLER = (
    304  # place of `PyDataMem_SetHandler` in NumPy's table of functions; it keeps the binary interface
)
LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.mmap.restype = ctypes.c_void_p
LIBC.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
LIBC.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
LIBC.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]

MALLOC = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t)
CALLOC = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t)
REALLOC = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t)
FREE = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t)


class Handler(ctypes.Structure):
    """`PyDataMem_Handler`: how NumPy gets and returns the memory of arrays."""

    _fields_ = (
        ("name", ctypes.c_char * 127),
        ("version", ctypes.c_uint8),
        ("context", ctypes.c_void_p),
        ("malloc", MALLOC),
        ("calloc", CALLOC),
        ("realloc", REALLOC),
        ("free", FREE),
    )


class Guarded:
    """Memory for arrays: `at_end`, their last element touches the page; or their first does."""

    def __init__(self, at_end: bool) -> None:
        self.at_end = at_end
        self.pieces: dict[
            int, tuple[int, int, int]
        ] = {}  # address -> of the whole piece, its bytes; asked for

    def new(self, _: Any, size: int) -> int | None:
        pages = -(-size // PAGE) or 1
        whole = (pages + 2) * PAGE
        anonymous = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
        start = LIBC.mmap(None, whole, mmap.PROT_READ | mmap.PROT_WRITE, anonymous, -1, 0)
        if start in (None, 2**64 - 1):
            return None
        LIBC.mprotect(start, PAGE, 0)
        LIBC.mprotect(start + whole - PAGE, PAGE, 0)
        address = start + PAGE
        if self.at_end:
            rest = -size % (pages * PAGE)
            address += rest - rest % (8 if size % 8 == 0 else 4 if size % 4 == 0 else 1)
        self.pieces[address] = (start, whole, size)
        return int(address)

    def cleared(self, context: Any, count: int, size: int) -> int | None:
        return self.new(context, count * size)  # new pages are zeros

    def resized(self, context: Any, address: int | None, size: int) -> int | None:
        moved = self.new(context, size)
        if moved is not None and address is not None:
            ctypes.memmove(moved, address, min(size, self.pieces[address][2]))
            self.freed(context, address, 0)
        return moved

    def freed(self, _: Any, address: int | None, __: int) -> None:
        if address is not None:
            start, whole, _size = self.pieces.pop(address)
            LIBC.munmap(start, whole)


_kept: list[Any] = []  # what NumPy keeps pointers to


def install(at_end: bool) -> None:
    """From now on every new array of this thread lies so."""
    memory = Guarded(at_end)
    handler = Handler(
        b"guarded",
        1,
        None,
        MALLOC(memory.new),
        CALLOC(memory.cleared),
        REALLOC(memory.resized),
        FREE(memory.freed),
    )
    api = ctypes.pythonapi
    api.PyCapsule_GetPointer.restype = ctypes.c_void_p
    api.PyCapsule_GetPointer.argtypes = [ctypes.py_object, ctypes.c_char_p]
    api.PyCapsule_New.restype = ctypes.py_object
    api.PyCapsule_New.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
    name = b"mem_handler"
    capsule = api.PyCapsule_New(ctypes.addressof(handler), name, None)
    table = api.PyCapsule_GetPointer(np._core._multiarray_umath._ARRAY_API, None)  # type: ignore[attr-defined]
    place = ctypes.cast(table, ctypes.POINTER(ctypes.c_void_p))[SET_HANDLER]
    _kept.extend((memory, handler, name, capsule))
    _kept.append(ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.py_object)(place)(capsule))
    assert np._core.multiarray.get_handler_name() == "guarded"  # type: ignore[attr-defined]
