"""Ready-made layers, one file per family. They hold settings and parameters; the mathematics is in
`nn.functional`.
"""
