"""The kernels as loops that Numba compiles, with the names and signatures of `numpy_kernels`."""
