"""Values as TensorBoard's messages (`Summary`): numbers, pictures, histograms, text.

Every function takes tensors, NumPy arrays and Python numbers alike, and gives the message that PyTorch's
writer gives, to the byte.
"""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from PIL import Image
from tensorboard.compat.proto.summary_pb2 import HistogramProto, Summary, SummaryMetadata
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto
from tensorboard.plugins.pr_curve.plugin_data_pb2 import PrCurvePluginData
from tensorboard.plugins.text.plugin_data_pb2 import TextPluginData

from ...autograd import TensorBase
from ...dtypes import Array

PICTURES_PER_ROW = 8
MOST_THRESHOLDS = 127  # of a precision-recall curve, in PyTorch's writer


def as_array(value: Any) -> Array:
    """A tensor, array or number as an array; NotImplementedError for anything else."""
    if isinstance(value, TensorBase):
        return value._array
    if isinstance(value, np.ndarray):
        return value
    if np.isscalar(value):
        return np.array([value])
    raise NotImplementedError(f"Got {type(value)}, but numpy array or torch tensor are expected.")


def scalar(tag: str, value: Any, new_style: bool = False, double_precision: bool = False) -> Any:
    """One number. `new_style` stores it as a tensor, float32 or with `double_precision` float64."""
    array = as_array(value).squeeze()
    if array.ndim != 0:
        raise AssertionError(
            f"Tensor should contain one element (0 dimensions). Was given size: {array.size} and "
            f"{array.ndim} dimensions."
        )
    number = float(array)
    if not new_style:
        return Summary(value=[Summary.Value(tag=tag, simple_value=number)])
    if double_precision:
        tensor = TensorProto(double_val=[number], dtype="DT_DOUBLE")
    else:
        tensor = TensorProto(float_val=[number], dtype="DT_FLOAT")
    metadata = SummaryMetadata(plugin_data=SummaryMetadata.PluginData(plugin_name="scalars"))
    return Summary(value=[Summary.Value(tag=tag, tensor=tensor, metadata=metadata)])


def text(tag: str, content: str) -> Any:
    """A text, which TensorBoard shows as Markdown."""
    plugin = SummaryMetadata.PluginData(
        plugin_name="text", content=TextPluginData(version=0).SerializeToString()
    )
    tensor = TensorProto(
        dtype="DT_STRING",
        string_val=[content.encode()],
        tensor_shape=TensorShapeProto(dim=[TensorShapeProto.Dim(size=1)]),
    )
    metadata = SummaryMetadata(plugin_data=plugin)
    return Summary(value=[Summary.Value(tag=f"{tag}/text_summary", metadata=metadata, tensor=tensor)])


# Pictures -----------------------------------------------------------------------------------------------


def picture(tag: str, value: Any, dataformats: str) -> Any:
    """A picture, or a batch as one picture, as a PNG.

    `dataformats` names the axes: N for the batch, C, H, W. Bytes are taken as they are, all other numbers
    times 255 and cut off to 0 ... 255.
    """
    array = channels_last(as_array(value), dataformats)
    scale = 1 if array.dtype == np.uint8 else 255
    pixels = (array.astype(np.float32) * scale).clip(0, 255).astype(np.uint8)
    height, width, channels = pixels.shape
    png = io.BytesIO()
    Image.fromarray(pixels).save(png, format="PNG")
    image = Summary.Image(
        height=height, width=width, colorspace=channels, encoded_image_string=png.getvalue()
    )
    return Summary(value=[Summary.Value(tag=tag, image=image)])


def channels_last(array: Array, dataformats: str) -> Array:
    """The picture (H, W, C) for axes in the order of `dataformats`; a grey one gets three equal channels."""
    if len(set(dataformats)) != len(dataformats):
        raise AssertionError(
            f"You can not use the same dimension shorthand twice. input_format: {dataformats}"
        )
    if array.ndim != len(dataformats):
        raise AssertionError(
            "size of input tensor and input format are different. "
            f"tensor shape: {array.shape}, input_format: {dataformats}"
        )
    axes = dataformats.upper()
    wanted = {4: "NCHW", 3: "HWC", 2: "HW"}.get(len(axes), "")
    if set(axes) != set(wanted) or not wanted:
        raise ValueError(
            f"dataformats={dataformats!r} does not name the axes of a picture: "
            "use the letters of NCHW, CHW or HW"
        )
    ordered = array.transpose([axes.index(name) for name in wanted])
    if wanted == "NCHW":
        return grid(ordered).transpose(1, 2, 0)  # (C, H, W) -> (H, W, C)
    if wanted == "HW":
        return np.stack([ordered] * 3, axis=2)
    return np.concatenate([ordered] * 3, axis=2) if ordered.shape[2] == 1 else ordered


def grid(pictures: Array) -> Array:
    """A batch (N, 1 or 3, H, W) as one picture (3, rows · H, columns · W), eight side by side."""
    if pictures.shape[1] == 1:
        pictures = np.concatenate([pictures] * 3, axis=1)
    if pictures.shape[1] != 3:
        raise AssertionError(
            f"Input should be a 4D numpy array with 3 channels, or 1, but it has {pictures.shape[1]}"
        )
    count, _, height, width = pictures.shape
    columns = min(count, PICTURES_PER_ROW)
    rows = -(-count // columns)
    result = np.zeros((3, rows * height, columns * width), pictures.dtype)
    for k, single in enumerate(pictures):
        top, left = k // columns * height, k % columns * width
        result[:, top : top + height, left : left + width] = single
    return result


def drawn_figure(figure: Any, close: bool) -> Array:
    """What a matplotlib figure shows, as bytes (3, H, W)."""
    from matplotlib import pyplot
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    pixels = np.asarray(canvas.buffer_rgba())[:, :, :3]
    if close:
        pyplot.close(figure)
    return pixels.transpose(2, 0, 1)  # (H, W, C) -> (C, H, W)


# Histograms ---------------------------------------------------------------------------------------------


def default_bins() -> list[float]:
    """TensorBoard's limits: 1e-12 times powers of 1.1, on both sides of zero."""
    limits = []
    limit = 1e-12
    while limit < 1e20:
        limits.append(limit)
        limit *= 1.1
    return [-limit for limit in reversed(limits)] + [0] + limits


def histogram(tag: str, values: Any, bins: Any, max_bins: int | None) -> Any:
    """How the values are distributed. `bins` as for `numpy.histogram`, at most `max_bins` by joining some."""
    numbers = as_array(values).astype(float).reshape(-1)
    if numbers.size == 0:
        raise ValueError("The input has no element.")
    counts, limits = np.histogram(numbers, bins=bins)
    if max_bins is not None and len(counts) > max_bins:
        counts, limits = joined(counts, limits, len(counts) // max_bins)
    (filled,) = np.nonzero(counts > 0)
    first, last = int(filled[0]), int(filled[-1])
    # Only right limits are stored: an empty bin in front carries the leftmost one.
    padded = np.concatenate([[0], counts])
    proto = HistogramProto(
        min=numbers.min(),
        max=numbers.max(),
        num=len(numbers),
        sum=numbers.sum(),
        sum_squares=numbers.dot(numbers),
        bucket_limit=limits[first : last + 2].tolist(),
        bucket=padded[first : last + 2].tolist(),
    )
    return Summary(value=[Summary.Value(tag=tag, histo=proto)])


def joined(counts: Array, limits: Array, group: int) -> tuple[Array, Array]:
    """Bins joined in groups of that many."""
    missing = -len(counts) % group
    counts = np.pad(counts, (0, missing)).reshape(-1, group).sum(axis=-1)
    return counts, np.concatenate([limits[:-1:group], limits[-1:]])


def raw_histogram(tag: str, limits: Any, counts: Any, **moments: Any) -> Any:
    """A histogram that was counted elsewhere: right limits, counts, and min, max, num, sum, sum_squares."""
    if len(limits) != len(counts):
        raise ValueError("len(bucket_limits) != len(bucket_counts), see the document.")
    proto = HistogramProto(bucket_limit=limits, bucket=counts, **moments)
    return Summary(value=[Summary.Value(tag=tag, histo=proto)])


# Precision and recall -----------------------------------------------------------------------------------


def pr_curve(tag: str, labels: Any, predictions: Any, num_thresholds: int, weights: Any) -> Any:
    """Precision and recall over thresholds k / (num_thresholds - 1), of 0/1 labels and probabilities.

    What is predicted with at least the threshold's probability counts as positive. `weights`: how much each
    element counts, by default 1.
    """
    num_thresholds = min(num_thresholds, MOST_THRESHOLDS)
    truth, confidence = as_array(labels).astype(np.float64), as_array(predictions)
    weight = 1.0 if weights is None else as_array(weights)
    bins = np.floor(confidence * (num_thresholds - 1)).astype(np.int32)

    def at_least(amounts: Array) -> Array:
        """The sum of the amounts whose prediction reaches each threshold."""
        span = (0, num_thresholds - 1)
        counts, _ = np.histogram(bins, bins=num_thresholds, range=span, weights=amounts)
        return np.cumsum(counts[::-1])[::-1]

    tp, fp = at_least(truth * weight), at_least((1 - truth) * weight)
    tn, fn = fp[0] - fp, tp[0] - tp
    precision, recall = tp / np.maximum(1e-7, tp + fp), tp / np.maximum(1e-7, tp + fn)
    return raw_pr_curve(tag, (tp, fp, tn, fn, precision, recall), num_thresholds)


def raw_pr_curve(tag: str, rows: Any, num_thresholds: int) -> Any:
    """A curve that was counted elsewhere.

    `rows`: true and false positives, true and false negatives, precision, recall, each over the thresholds.
    """
    data = np.stack([as_array(row) for row in rows])
    content = PrCurvePluginData(version=0, num_thresholds=min(num_thresholds, MOST_THRESHOLDS))
    plugin = SummaryMetadata.PluginData(plugin_name="pr_curves", content=content.SerializeToString())
    tensor = TensorProto(
        dtype="DT_FLOAT",
        float_val=data.reshape(-1).tolist(),
        tensor_shape=TensorShapeProto(dim=[TensorShapeProto.Dim(size=size) for size in data.shape]),
    )
    return Summary(
        value=[Summary.Value(tag=tag, metadata=SummaryMetadata(plugin_data=plugin), tensor=tensor)]
    )
