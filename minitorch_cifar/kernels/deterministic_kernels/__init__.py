"""The kernels whose results are the same bits on every CPU, with the signatures of `numpy_kernels`.

Three things make the bits of the fast kernels depend on the CPU. A sum is split into as many partial sums as
a vector has lanes. A product and a sum are rounded together where the CPU can (fused multiply-add), one after
the other elsewhere. And exp, log and matrix products come from libraries that choose among versions of their
own. So here every addition has its place in the source; nothing may be reordered or fused (Numba does neither
unless told to); and the functions are made of +, -, · and / (`functions.py`), which IEEE 754 fixes to the
last bit. What obeys this in `numba_kernels` already is used from there.

Numba's cache on disk looks at the file of a loop only: who changes `functions.py`, `product.py` or `sums.py`
must touch the files that use them, too.
"""
