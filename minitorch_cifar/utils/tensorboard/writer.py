"""`SummaryWriter`: what a program wants to see of its training, written to files that TensorBoard reads.

Each call makes a message (`messages.py`) and hands it, with its step and time, to TensorBoard's own file
writer, which writes in the background.
"""

from __future__ import annotations

import difflib
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn, Self

import numpy as np
from tensorboard.compat.proto.event_pb2 import Event, SessionLog, TaggedRunMetadata
from tensorboard.summary.writer.event_file_writer import EventFileWriter

from ...nn import Module
from . import graph, messages
from .hparams import hparams


class SummaryWriter:
    """Writes numbers, pictures, histograms, texts and graphs into event files of a folder.

    Args:
        log_dir: the folder, made when absent. By default `runs/` and date, time and name of the machine.
        comment: appended to the default folder's name; without effect when `log_dir` is given.
        purge_step: hide what earlier runs in this folder wrote from this step on.
        max_queue: how many messages may wait to be written.
        flush_secs: how often, in seconds, all that waits is written.
        filename_suffix: appended to the names of the files.

    As in PyTorch, a writer that was closed opens a new file at the next `add_...`.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, SummaryWriter(folder) as writer:
    ...     for step in range(3):
    ...         writer.add_scalar("y = 2x", 2 * step, step)
    """

    def __init__(
        self,
        log_dir: str | Path | None = None,
        comment: str = "",
        purge_step: int | None = None,
        max_queue: int = 10,
        flush_secs: float = 120,
        filename_suffix: str = "",
    ) -> None:
        self.log_dir = str(log_dir) if log_dir else _default_folder(comment)
        self.purge_step = purge_step
        self.max_queue = max_queue
        self.flush_secs = flush_secs
        self.filename_suffix = filename_suffix
        self.default_bins = messages.default_bins()
        self._files: dict[str, Any] = {}  # open files by folder; add_scalars has folders of its own
        self._file()

    def _file(self, folder: str | None = None) -> Any:
        """The open file of a folder."""
        folder = self.log_dir if folder is None else folder
        if folder not in self._files:
            self._files[folder] = EventFileWriter(
                folder, self.max_queue, self.flush_secs, self.filename_suffix
            )
            if folder == self.log_dir and self.purge_step is not None:
                step, self.purge_step = self.purge_step, None
                self._write(Event(file_version="brain.Event:2"), step)
                self._write(Event(session_log=SessionLog(status=SessionLog.START)), step)
        return self._files[folder]

    def _write(self, event: Any, step: Any, walltime: float | None = None, folder: str | None = None) -> None:
        event.wall_time = time.time() if walltime is None else walltime
        if step is not None:
            event.step = int(step)
        self._file(folder).add_event(event)

    def get_logdir(self) -> str:
        """The folder of the files."""
        return self.log_dir

    # Numbers --------------------------------------------------------------------------------------------

    def add_scalar(
        self,
        tag: str,
        scalar_value: Any,
        global_step: int | None = None,
        walltime: float | None = None,
        new_style: bool = False,
        double_precision: bool = False,
    ) -> None:
        """A number of the curve `tag`: a Python number, or a tensor or array of one element.

        `global_step` is its place on the horizontal axis, `walltime` its time in seconds since 1970, by
        default now. `new_style` stores it as a tensor, with `double_precision` of float64.
        """
        summary = messages.scalar(tag, scalar_value, new_style, double_precision)
        self._write(Event(summary=summary), global_step, walltime)

    def add_scalars(
        self,
        main_tag: str,
        tag_scalar_dict: Mapping[str, Any],
        global_step: int | None = None,
        walltime: float | None = None,
    ) -> None:
        """Numbers of several curves in one diagram; each curve has a folder of its own below `log_dir`."""
        walltime = time.time() if walltime is None else walltime
        for tag, value in tag_scalar_dict.items():
            folder = f"{self.log_dir}/{main_tag.replace('/', '_')}_{tag}"
            event = Event(summary=messages.scalar(main_tag, value))
            self._write(event, global_step, walltime, folder)

    def add_histogram(
        self,
        tag: str,
        values: Any,
        global_step: int | None = None,
        bins: Any = "tensorflow",
        walltime: float | None = None,
        max_bins: int | None = None,
    ) -> None:
        """How the elements of a tensor are distributed.

        `bins`: "tensorflow" for TensorBoard's limits, or as for `numpy.histogram`; at most `max_bins`.
        """
        limits = self.default_bins if isinstance(bins, str) and bins == "tensorflow" else bins
        summary = messages.histogram(tag, values, limits, max_bins)
        self._write(Event(summary=summary), global_step, walltime)

    def add_histogram_raw(
        self,
        tag: str,
        min: float,
        max: float,
        num: int,
        sum: float,
        sum_squares: float,
        bucket_limits: Any,
        bucket_counts: Any,
        global_step: int | None = None,
        walltime: float | None = None,
    ) -> None:
        """A histogram that was counted elsewhere: the right limit and the count of each bin."""
        moments = {"min": min, "max": max, "num": num, "sum": sum, "sum_squares": sum_squares}
        summary = messages.raw_histogram(tag, bucket_limits, bucket_counts, **moments)
        self._write(Event(summary=summary), global_step, walltime)

    def add_pr_curve(
        self,
        tag: str,
        labels: Any,
        predictions: Any,
        global_step: int | None = None,
        num_thresholds: int = 127,
        weights: Any = None,
        walltime: float | None = None,
    ) -> None:
        """Precision and recall of `predictions`, probabilities in [0, 1], over up to 127 thresholds.

        `labels` are 0 or 1 (False or True), of the same shape; `weights`: how much each element counts.
        """
        summary = messages.pr_curve(tag, labels, predictions, num_thresholds, weights)
        self._write(Event(summary=summary), global_step, walltime)

    def add_pr_curve_raw(
        self,
        tag: str,
        true_positive_counts: Any,
        false_positive_counts: Any,
        true_negative_counts: Any,
        false_negative_counts: Any,
        precision: Any,
        recall: Any,
        global_step: int | None = None,
        num_thresholds: int = 127,
        weights: Any = None,
        walltime: float | None = None,
    ) -> None:
        """A precision-recall curve that was counted elsewhere: one number per threshold in each argument.

        ValueError for `weights`: they belong into the counts.
        """
        if weights is not None:
            raise ValueError("add_pr_curve_raw() takes no weights: the counts have them already")
        counts = (true_positive_counts, false_positive_counts, true_negative_counts, false_negative_counts)
        summary = messages.raw_pr_curve(tag, (*counts, precision, recall), num_thresholds)
        self._write(Event(summary=summary), global_step, walltime)

    # Pictures and text ----------------------------------------------------------------------------------

    def add_image(
        self,
        tag: str,
        img_tensor: Any,
        global_step: int | None = None,
        walltime: float | None = None,
        dataformats: str = "CHW",
    ) -> None:
        """A picture (C, H, W), or with its axes in the order of `dataformats`: "HWC", "HW", ...

        uint8 from 0 to 255; all other dtypes from 0 to 1, what lies outside is cut off.
        """
        self._write(Event(summary=messages.picture(tag, img_tensor, dataformats)), global_step, walltime)

    def add_images(
        self,
        tag: str,
        img_tensor: Any,
        global_step: int | None = None,
        walltime: float | None = None,
        dataformats: str = "NCHW",
    ) -> None:
        """A batch of pictures (N, 1 or 3, H, W) as one picture, eight side by side."""
        self.add_image(tag, img_tensor, global_step, walltime, dataformats)

    def add_figure(
        self,
        tag: str,
        figure: Any,
        global_step: int | None = None,
        close: bool = True,
        walltime: float | None = None,
    ) -> None:
        """A matplotlib figure, or a list of them of one size, as a picture; `close` closes it."""
        if isinstance(figure, list):
            drawn = [messages.drawn_figure(single, close) for single in figure]
            self.add_image(tag, np.stack(drawn), global_step, walltime, "NCHW")
        else:
            self.add_image(tag, messages.drawn_figure(figure, close), global_step, walltime)

    def add_text(
        self, tag: str, text_string: str, global_step: int | None = None, walltime: float | None = None
    ) -> None:
        """A text, shown as Markdown."""
        self._write(Event(summary=messages.text(tag, text_string)), global_step, walltime)

    # Models ---------------------------------------------------------------------------------------------

    def add_graph(
        self, model: Module, input_to_model: Any = None, verbose: bool = False, use_strict_trace: bool = True
    ) -> None:
        """The graph of a model, which is run once on `input_to_model`: a tensor, or a tuple of several."""
        drawing, stats = graph.drawing(model, input_to_model, verbose, use_strict_trace)
        self._write(Event(graph_def=drawing.SerializeToString()), None)
        tagged = TaggedRunMetadata(tag="step1", run_metadata=stats.SerializeToString())
        self._write(Event(tagged_run_metadata=tagged), None)

    def add_hparams(
        self,
        hparam_dict: dict[str, Any],
        metric_dict: dict[str, Any],
        hparam_domain_discrete: dict[str, list[Any]] | None = None,
        run_name: str | None = None,
        global_step: int | None = None,
    ) -> None:
        """The settings of a run (numbers, strings) and what it reached, for the page "HParams".

        They go to a folder of their own below `log_dir`, `run_name` or by default the time.
        `hparam_domain_discrete` lists the values that a setting may have.
        """
        if type(hparam_dict) is not dict or type(metric_dict) is not dict:
            raise TypeError("hparam_dict and metric_dict should be dictionary.")
        summaries = hparams(hparam_dict, metric_dict, hparam_domain_discrete or {})
        with SummaryWriter(f"{self.log_dir}/{run_name or time.time()}") as writer:
            for summary in summaries:
                writer._write(Event(summary=summary), global_step)
            for tag, value in metric_dict.items():
                writer.add_scalar(tag, value, global_step)

    # Files ----------------------------------------------------------------------------------------------

    def flush(self) -> None:
        """Write all that waits."""
        for file in self._files.values():
            file.flush()

    def close(self) -> None:
        """Write all that waits and close the files; a second time does nothing."""
        for file in self._files.values():
            file.flush()
            file.close()
        self._files = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __getattr__(self, name: str) -> NoReturn:
        message = f"'SummaryWriter' object has no attribute {name!r}"
        if name.startswith("add_"):
            near = difflib.get_close_matches(
                name, [known for known in dir(type(self)) if "add_" in known], n=1
            )
            message += ": it is not part of minitorch_cifar."
            message += f" Did you mean: {near[0]!r}?" if near else ""
        raise AttributeError(message)


def _default_folder(comment: str) -> str:
    import socket
    from datetime import datetime

    return f"runs/{datetime.now().strftime('%b%d_%H-%M-%S')}_{socket.gethostname()}{comment}"
