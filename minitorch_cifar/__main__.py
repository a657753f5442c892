"""`python -m minitorch_cifar` is the command `minitorch-cifar`."""

from .cli import main

if __name__ == "__main__":
    raise SystemExit(main())
