"""Measurements. Each script prints the machine, versions, threads and runs with its figures."""
