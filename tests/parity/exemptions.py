"""What has no row in the registry, and why: each name with its reason or with the test that covers it."""

from __future__ import annotations

MADE = "makes a tensor: tests/functions/test_creation.py"
DRAWN = "draws at random: tests/random"
STATE = "reads or sets the library's state, or its files"
ABOUT = "says something about a tensor: tests/test_tensor.py"
CONVERTS = "converts: tests/test_tensor.py, and the row `to (dtype)`"
GRAPH = "belongs to the graph: tests/autograd"
PROTOCOL = "a protocol of Python: tests/test_tensor.py"


def _all(reason: str, names: str) -> dict[str, str]:
    return dict.fromkeys(names.split(), reason)


FUNCTIONS = {
    **_all(
        MADE, "arange as_tensor asarray empty empty_like eye from_numpy full full_like linspace logspace ones"
    ),
    **_all(MADE, "ones_like scalar_tensor tensor zeros zeros_like"),
    **_all(
        DRAWN, "bernoulli multinomial normal rand rand_like randint randint_like randn randn_like randperm"
    ),
    **_all(DRAWN, "get_rng_state initial_seed manual_seed seed set_rng_state"),
    **_all(STATE, "get_default_dtype get_num_threads is_grad_enabled set_default_dtype set_num_threads"),
    **_all(STATE, "load save set_printoptions explain_missing"),
    **_all(ABOUT, "is_floating_point is_nonzero is_tensor numel"),
    **_all("decides about dtypes: tests/test_dtypes.py", "can_cast result_type"),
    **_all("says whether gradients can be: tests/autograd/test_inference_mode.py", "is_inference"),
    **_all(
        "chooses kernels: tests/reliability/test_same_bits.py",
        "are_deterministic_algorithms_enabled get_deterministic_debug_mode use_deterministic_algorithms "
        "is_deterministic_algorithms_warn_only_enabled",
    ),
    **_all("reads the mode: tests/autograd/test_inference_mode.py", "is_inference_mode_enabled"),
}

METHODS = {
    **_all(
        PROTOCOL, "__array__ __array_priority__ __array_wrap__ __bool__ __contains__ __deepcopy__ __dir__"
    ),
    **_all(
        PROTOCOL,
        "__doc__ __float__ __format__ __getattr__ __hash__ __index__ __int__ __iter__ __len__ __module__",
    ),
    **_all(PROTOCOL, "__new__ __pos__ __reduce__ __repr__"),
    **_all(GRAPH, "backward"),
    **_all(DRAWN, "bernoulli bernoulli_ exponential_ multinomial normal_ random_ uniform_"),
    **_all(CONVERTS, "bool byte cpu cuda double float int item long numpy tolist type type_as"),
    **_all(ABOUT, "data_ptr device dim dtype element_size get_device is_complex is_contiguous is_cuda"),
    **_all(ABOUT, "is_floating_point is_meta is_mps is_pinned is_quantized is_same_size is_signed is_sparse"),
    **_all(ABOUT, "itemsize layout nbytes ndim ndimension nelement numel shape size storage_offset stride"),
    **_all(MADE, "new new_empty new_full new_ones new_tensor new_zeros"),
    "to": CONVERTS,
}

FUNCTIONAL = {
    **_all("the row `nn.functional.max_pool2d`, which asks for indices too", "max_pool2d_with_indices"),
    **_all("says what is missing: tests/test_missing.py", "explain_missing_in"),
    **_all("the row `nn.functional.adaptive_max_pool2d`", "adaptive_max_pool2d_with_indices"),
}

CLASSES = {
    **_all("the base class of all modules: tests/nn/test_module.py", "Module"),
    **_all("the base class of all optimizers: tests/optim/test_optimizer.py", "Optimizer"),
    **_all("the base class of all schedulers: tests/optim/test_lr_scheduler.py", "LRScheduler"),
}

SWITCHES = {
    **_all("which parameters are changed is no hyperparameter", "params"),
    **_all(
        "chooses among PyTorch's implementations; True is refused: tests/optim/test_sgd.py",
        "foreach capturable differentiable fused",
    ),
}
