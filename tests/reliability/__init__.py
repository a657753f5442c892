"""What docs/reliability.md promises: the same bits, wrong use, threads and processes, leaks."""
