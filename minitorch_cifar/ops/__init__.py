"""The operations: for each, one class with its forward and its backward rule next to each other.

They work on NumPy arrays and know no tensors; what they share (recording, broadcasting, versions) is in
`autograd`. Files go by family. The heavy ones call `kernels`.
"""
