"""What the tests of the reference share."""

from ..shapes_once import shapes_once  # noqa: F401 - a fixture
