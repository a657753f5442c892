"""The settings of a run and what it reached, as the messages of TensorBoard's page "HParams"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from google.protobuf.struct_pb2 import ListValue, Value
from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
from tensorboard.plugins.hparams import api_pb2 as api
from tensorboard.plugins.hparams import metadata
from tensorboard.plugins.hparams.plugin_data_pb2 import (
    HParamsPluginData,
    SessionEndInfo,
    SessionStartInfo,
)

from ...autograd import TensorBase


def hparams(
    settings: Mapping[str, Any], metrics: Mapping[str, Any], domains: Mapping[str, Sequence[Any]]
) -> list[Any]:
    """Three messages: what the settings and metrics are, the settings of this run, and that it ended well.

    Settings are numbers (bools among them), strings or tensors of one element; None is left out. `domains`
    lists all values that a setting may have. TypeError and ValueError for anything else.
    """
    for name, values in domains.items():
        kind = type(settings.get(name))
        if (
            name not in settings
            or not isinstance(values, list)
            or not all(isinstance(v, kind) for v in values)
        ):
            raise TypeError(
                f"parameter: hparam_domain_discrete[{name}] should be a list of same type as "
                f"hparam_dict[{name}]."
            )
    start = SessionStartInfo()
    infos = []
    for name, setting in settings.items():
        if setting is None:
            continue
        field, kind_name = _kind(setting)
        value = setting._array.item() if isinstance(setting, TensorBase) else setting
        setattr(start.hparams[name], field, value)
        listed = [Value(**{field: v}) for v in domains[name]] if name in domains else None
        domain = None if listed is None else ListValue(values=listed)
        infos.append(api.HParamInfo(name=name, type=api.DataType.Value(kind_name), domain_discrete=domain))
    experiment = api.Experiment(
        hparam_infos=infos,
        metric_infos=[api.MetricInfo(name=api.MetricName(tag=tag)) for tag in metrics],
    )
    end = SessionEndInfo(status=api.Status.Value("STATUS_SUCCESS"))
    return [
        _message(metadata.EXPERIMENT_TAG, experiment=experiment),
        _message(metadata.SESSION_START_INFO_TAG, session_start_info=start),
        _message(metadata.SESSION_END_INFO_TAG, session_end_info=end),
    ]


def _kind(setting: Any) -> tuple[str, str]:
    """The field for a setting and the name of its type."""
    if isinstance(setting, (int, float, TensorBase)):
        return "number_value", "DATA_TYPE_FLOAT64"
    if isinstance(setting, str):
        return "string_value", "DATA_TYPE_STRING"
    raise ValueError("value should be one of int, float, str, bool, or torch.Tensor")


def _message(tag: str, **content: Any) -> Any:
    data = HParamsPluginData(version=metadata.PLUGIN_DATA_VERSION, **content)
    plugin = SummaryMetadata.PluginData(plugin_name=metadata.PLUGIN_NAME, content=data.SerializeToString())
    return Summary(value=[Summary.Value(tag=tag, metadata=SummaryMetadata(plugin_data=plugin))])
