# ruff: noqa: E501 - tables
"""Where a hostile call ends otherwise than in PyTorch, and why that is left so.

Each row: which calls (a pattern of the name), what PyTorch says or what the engine says (a pattern of the
message), and the reason. `MORE` is answered here and refused by PyTorch, `FEWER` refused here and answered by
PyTorch, `OTHER` answered by both, differently.
"""

from __future__ import annotations

import re

Row = tuple[str, str, str]

OTHER: tuple[Row, ...] = (
    (r"torch\.\w*Tensor$", r"", "the values of new memory, which are whatever lies there"),
    (r"nn\.Linear$", r"IncompatibleKeys", "the class of a result has no underscore in front"),
    (
        r"Tensor\.__r\w+__$",
        r"",
        "the operand is an array of NumPy: which side computes decides about the dtype",
    ),
    (r"nn\.functional\.normalize$", r"", "powers beyond 2**31, of which float32 holds none"),
    (r"torch\.(lin|log)space$", r"nan|inf", "between infinities there is no middle"),
    (r"vision\.utils\.make_grid$", r"", "flags that are none"),
)

MORE: tuple[Row, ...] = (
    (r"", r"too big to convert|Overflow when unpacking|Overflow|without overflow", "Python's whole numbers have no largest one"),
    (r"", r"takes no (keyword )?arguments|unexpected keyword argument 'out'|got \(.*out=", "methods take `out=`, as functions do"),
    (r"utils\.data\.IterableDataset", r"abstract", "the class can be made; it has nothing to give"),
    (r"Tensor\.argsort|torch\.argsort", r"", "`dim` and `stable` go together, as in `sort`"),
    (r"__array_wrap__|__format__|__deepcopy__|__array__", r"", "NumPy and Python call it, with what they make"),
    (r"torch\.(eq|ne|lt|le|gt|ge|fmod|where|lerp|rsub|pow|remainder)$|Tensor\.\w+$", r"invalid combination|must be Tensor", "a number may come first, or where PyTorch wants a tensor"),
    (r"", r"must be (float|Number|int), not (Tensor|numpy|list|tuple|ndarray)", "a tensor or array of one number may stand for it, and is broadcast where more"),
    (r"", r"invalid combination of arguments", "arguments by position or by name, in more combinations"),
    (r"vision\.", r"", "pictures of fewer or more dimensions, of no channels"),
    (r"nn\.utils\.clip_grad_value_", r"", "parameters without gradients: nothing to do"),
    (r"utils\.data\.", r"", "samplers and collating take any sequence"),
    (r"", r"non_blocking|retain_graph|create_graph|object cannot be interpreted as an integer", "an option without effect here"),
    (r"", r"must be bool", "truth values by Python's rules"),
    (r"nn\.functional\.(one_hot|l1_loss|cross_entropy|kl_div)|nn\.\w*Pad2d|nn\.\w*Loss", r"", "older positional arguments, and numbers in tensors"),
    (r"", r"must be tuple of ints|failed to unpack|expected one of|missing 1 required positional", "sizes and dimensions in more forms"),
    (r"", r"object has no attribute|has no len|not iterable|out of range|Boolean value", "refused by accident there"),
)  # fmt: skip

FEWER: tuple[Row, ...] = (
    (r"", r"not part of|complex|NotImplemented|is not supported", "what the engine does not have"),
    (r"", r"int too big to convert|too large to convert|below 2\*\*31|is too big|overflow|out of range|too large", "numbers of 2**31 or 2**63 and more"),
    (r"", r"memory|allocate|maximum supported dimension|array is too big|Maximum allowed", "more memory than there is, found out earlier"),
    (r"Tensor\.__", r"positional argument|unexpected keyword|multiple values", "operators take one operand"),
    (r"", r"must be (int|Number|Tensor|bool|float)|must be tuple of ints|takes True, False or a function", "no truth value, fraction or tensor in the place of a number"),
    (r"", r"gather|scatter|Index tensor|Expected index|dtype int32/int64 for index", "an empty index, too, has to fit"),
    (r"", r"more than one element of the written-to tensor", "memory that overlaps is not written to"),
    (r"", r"positional argument|unexpected keyword|can't convert|Could not infer dtype|only one element tensors", "arguments that PyTorch ignores"),
    (r"nn\.functional\.batch_norm|nn\.BatchNorm", r"should contain \d+ elements", "running statistics fit the channels of an empty input, too"),
    (r"autograd\.backward$", r"got 0 tensors and \d+ gradients", "gradients of nothing"),
    (r"Tensor\.(to|is_pinned)$|torch\.set_printoptions", r"", "a number is no dtype"),
    (r"vision\.", r"", "pictures without channels, and what is no number, are refused"),
    (r"", r"IndexError|used as indices|Dimension out of range|mat2|matrix|both be tensors", "refused by shape or kind"),
    (r"", r"expected|Expected|invalid|Invalid|not support|truth value", "refused in words"),
)  # fmt: skip


def reason(rows: tuple[Row, ...], name: str, message: str) -> str | None:
    """Why a difference is left, or None."""
    for names, messages, why in rows:
        if re.search(names, name) and re.search(messages, message, re.DOTALL):
            return why
    return None
