"""The project's three networks and its training program in PyTorch, to compare the engine with."""
