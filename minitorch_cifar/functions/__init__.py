"""`torch.add`, `torch.sum`, ...: the functions a user calls, which are also the tensors' methods.

Each checks its arguments as PyTorch does, settles dtypes and dimensions, and hands over to one operation of
`ops`, which holds the mathematics. No function here computes a gradient.
"""
