# ruff: noqa: E501 - tables
"""A right call of every public name, as text that runs with the engine and with PyTorch.

The fuzzer starts from these and spoils arguments. They are written with the names that `worker.py` puts into
their namespace: `f(2, 3)` a tensor of floats, `g` one that asks for a gradient, `n` of whole numbers 0 to 2,
`m` of booleans, `u` of bytes, `pic("RGB", 5, 4)` a picture, `params()`, `opt()` an optimizer, `pairs()` a
data set.
"""

from __future__ import annotations

import ast
import re

import minitorch_cifar

# The arguments of functions that are methods too; `;` separates several.
SHARED = """
abs absolute ceil cos erf exp expm1 floor log log10 log1p log2 neg negative reciprocal relu round rsqrt sigmoid sign sin sqrt square tan tanh trunc clone isfinite isinf isnan logical_not nonzero argwhere ravel t: g(2, 3); f(3)
trace: g(3, 3); f(2, 3)
numel is_floating_point is_inference: f(2)
bitwise_not: n(2, 3); m(2)
add sub subtract rsub mul multiply div divide true_divide maximum minimum: g(2, 3), f(3); f(2, 3), f(2, 1)
remainder fmod floor_divide pow: g(2, 3), f(3); f(2), 2
eq ne lt le gt ge: f(2, 3), f(3); f(2), 1
isclose: f(2, 3), f(3)
equal allclose: f(2, 3), f(2, 3)
logical_and logical_or logical_xor: m(2, 3), f(3)
bitwise_and bitwise_or bitwise_xor: n(2, 3), n(3); m(2), True
addcdiv addcmul: g(2, 3), f(3), f(2, 3); f(2), f(2), f(2), value=2
lerp: f(2, 3), f(2, 3), 0.5; f(2), f(2), f(2)
addmm: f(2, 4), g(2, 3), f(3, 4); f(4), f(2, 3), f(3, 4), beta=2, alpha=0.5
mm: g(2, 3), f(3, 4)
bmm: g(2, 2, 3), f(2, 3, 4)
mv: g(2, 3), f(3)
dot: g(3), f(3)
outer: g(3), f(4)
matmul: g(2, 3), f(3, 4); f(2, 2, 3), f(3); f(3), f(3)
all any: m(2, 3); f(2, 3), 1; m(2, 3), dim=0, keepdim=True
amax amin: g(2, 3); g(2, 3), 1; f(2, 3), (0, 1), True
argmax argmin: f(2, 3); f(2, 3), 1, True
max min: g(2, 3); g(2, 3), 1; f(2, 3), f(3); f(2, 3), 0, True
median: f(2, 3); f(2, 3), 1
sum mean: g(2, 3); g(2, 3), 1; f(2, 3), (0, 1), True; f(2, 3), dtype=torch.float64
prod: g(2, 3); g(2, 3), 1; f(2, 3), 0, True
std var: g(2, 3); g(2, 3), 1; f(2, 3), 1, keepdim=True, correction=0
norm: g(2, 3); f(2, 3), 2, 1; f(3), p=1
logsumexp: g(2, 3), 1; f(2, 3), (0, 1), True
softmax log_softmax: g(2, 3), 1; f(3), 0
cumsum cumprod: g(2, 3), 1; f(3), 0
count_nonzero: f(2, 3); f(2, 3), 1
bincount: n(5); n(5), f(5), 4
argsort sort: f(2, 3); f(2, 3), 0, True; n(5), stable=True
topk: f(2, 3), 2; f(4, 3), 2, 0, False
unique: n(5); n(2, 3), return_inverse=True, return_counts=True
broadcast_to: g(3), (2, 3); f(2, 1), (2, -1)
chunk: g(5, 3), 2; f(2, 5), 3, 1
split: g(5, 3), 2; f(5), [2, 3]; f(2, 4), 2, 1
unbind: g(2, 3); f(2, 3), 1
diag: g(3); f(3, 3), 1
diagonal: g(3, 3); f(2, 3, 4), 1, 0, 2
flatten: g(2, 3, 4); f(2, 3, 4), 1, 2
unflatten: g(2, 6), 1, (2, 3); f(6), 0, (3, -1)
flip: g(2, 3), (0, 1); f(3), [0]
gather: g(2, 3), 1, n(2, 2); f(3, 2), 0, n(2, 2)
index_select: g(3, 3), 1, n(4); f(3), 0, n(2)
index_add: g(3, 3), 0, n(2), f(2, 3); f(3), 0, n(4), f(4), alpha=2
masked_fill: g(2, 3), m(2, 3), 2; f(2, 3), m(3), f()
masked_select: g(2, 3), m(2, 3)
scatter: g(3, 4), 0, n(2, 4), f(2, 4); f(3), 0, n(2), 2.0
scatter_add: g(3, 4), 0, n(2, 4), f(2, 4)
take: g(3, 3), n(4)
select: g(2, 3), 1, 2; f(3), 0, -1
narrow: g(4, 3), 0, 1, 2; f(5), 0, 2, 3
movedim: g(2, 3, 4), 0, 2; f(2, 3, 4), (0, 1), (1, 0)
permute: g(2, 3, 4), (2, 0, 1); f(2, 3), (1, 0)
transpose swapaxes: g(2, 3), 0, 1; f(2, 3, 4), -1, 0
reshape: g(2, 3), (3, 2); f(2, 3), (-1,)
squeeze: g(2, 1, 3); f(2, 1), 1
unsqueeze: g(2, 3), 1; f(), 0
repeat_interleave: g(3), 2; f(2, 3), n(3), 1
roll: g(2, 3), 1; f(2, 3), (1, -1), (0, 1)
tile: g(2, 3), (2, 1)
tril triu: g(3, 3); f(2, 3), 1
clamp clip: g(2, 3), 0, 1; f(3), f(3), f(3); f(3), min=0
clamp_max clamp_min: g(2, 3), 0; f(3), f(3)
multinomial: f(4).abs(), 2; f(2, 4).abs(), 3, True
bernoulli: f(2, 3).sigmoid()
is_nonzero: f(1)
"""

# Functions that are no methods, or are called otherwise as such.
FUNCTIONS = """
arange(5); arange(0, 10, 2); arange(0, 1, 0.25, dtype=torch.float64)
as_tensor([1, 2]); asarray(np.ones(2)); from_numpy(np.ones((2, 3))); scalar_tensor(2.0)
tensor([[1, 2], [3, 4]]); tensor([1.0, 2.0], dtype=torch.float64, requires_grad=True)
Tensor(2, 3); Tensor([1, 2]); FloatTensor([1, 2]); DoubleTensor(2, 3); IntTensor([1, 2]); LongTensor([1])
ByteTensor([1, 2]); BoolTensor([True])
empty(2, 3).shape; empty((2, 3), dtype=torch.int64).dtype; empty_like(f(2, 3)).shape
eye(3); eye(2, 3); full((2, 3), 1.5); full_like(f(2, 3), 2)
linspace(0, 1, 5); logspace(0, 2, 3); ones(2, 3); ones((2, 3), dtype=torch.int32); ones_like(f(2, 3))
zeros(2, 3); zeros([2], requires_grad=True); zeros_like(f(2, 3), dtype=torch.float64)
normal(0.0, 1.0, (2, 3)); normal(f(3), 1.0); rand(2, 3); rand_like(f(2, 3)); randint(0, 5, (2, 3))
randint(5, (3,)); randint_like(f(3), 5); randn(2, 3); randn_like(f(2, 3)); randperm(5)
broadcast_tensors(f(2, 3), g(3)); cat([g(2, 3), f(1, 3)]); cat((f(2), f(3)), dim=0); concat([f(2), f(2)])
concatenate([g(2, 3), f(2, 2)], 1); stack([g(2), f(2)]); stack((f(2), f(2)), 1); hstack([f(2), f(3)])
vstack([f(2), f(2)]); meshgrid(f(2), f(3)); meshgrid(f(2), f(3), indexing="xy"); combinations(f(4), 2)
can_cast(torch.float32, torch.int64); result_type(f(2), 1); result_type(f(2), n(2))
conv2d(g(2, 3, 5, 5), g(4, 3, 3, 3)); conv2d(f(1, 2, 6, 6), f(4, 1, 3, 3), f(4), 2, 1, 1, 2)
conv2d(g(3, 4, 4), f(2, 3, 2, 2), None, (1, 2), "valid"); max_pool2d(g(2, 3, 6, 6), 2)
max_pool2d(f(1, 2, 5, 5), 3, 2, 1, 1, True); relu_(f(3))
where(m(2, 3), g(2, 3), f(3)); where(m(3), 1.0, f(3)); where(m(3)); nonzero(f(2, 3), as_tuple=True)
are_deterministic_algorithms_enabled(); get_deterministic_debug_mode(); is_deterministic_algorithms_warn_only_enabled()
use_deterministic_algorithms(False); finfo(torch.float32).max; iinfo(torch.int32).max; device("cpu"); Size([2, 3]); is_tensor(f(2)); is_tensor(1)
get_default_dtype(); get_num_threads() > 0; get_rng_state().shape; initial_seed(); manual_seed(3).initial_seed()
seed() > 0; set_rng_state(torch.get_rng_state()); Generator().manual_seed(3).initial_seed()
Generator("cpu").initial_seed(); set_default_dtype(torch.float64); set_printoptions(precision=2)
set_grad_enabled(True); no_grad().__class__.__name__; enable_grad().__class__.__name__; inference_mode().__class__.__name__
is_grad_enabled(); is_inference_mode_enabled(); save({"a": f(2)}, io.BytesIO()); load(saved())
max(f(2), f(2))
"""

METHODS = """
__abs__() __neg__() __pos__() __len__() __iter__() __repr__() __str__() detach() contiguous() is_contiguous()
storage_offset() stride() size() dim() element_size() get_device() is_complex() is_pinned() is_signed() ndimension()
nelement() tolist() type() bool() byte() cpu() double() float() int() long() data_ptr().__class__
requires_grad_() retain_grad() __deepcopy__({}) __array__() __hash__().__class__
__add__(f(3)) __radd__(2) __sub__(f(3)) __rsub__(2) __mul__(f(3)) __rmul__(2) __truediv__(f(3)) __rtruediv__(2)
__floordiv__(f(3)) __rfloordiv__(2) __mod__(f(3)) __rmod__(2) __pow__(2) __rpow__(2) __matmul__(f(3,2))
__eq__(f(3)) __ne__(1) __lt__(1) __le__(f(3)) __gt__(1) __ge__(f(3)) __contains__(1.0) greater(f(3)) greater_equal(1)
less(1) less_equal(f(3)) not_equal(1) __getitem__(0) __getitem__((slice(None),1)) __getitem__(n(2)%2) __getitem__(m(2,3))
__getitem__((None,...,n(2))) copy_(f(2,3)) exponential_() fill_(2.0) fill_diagonal_(1.0) zero_() random_() random_(5)
uniform_() uniform_(0,2) normal_() normal_(1,2) bernoulli_() bernoulli_(0.3) expand(2,3) expand((4,2,3)) expand_as(f(2,3)) view(3,2) view((6,))
view_as(f(3,2)) reshape_as(f(3,2)) repeat(2,1) repeat((2,1,1)) swapdims(0,1) type_as(n(2)) to(torch.float64) to("cpu")
to(n(2)) is_same_size(f(2,3)) new_empty((2,)).shape new_full((2,),3) new_ones(2,3) new_tensor([1,2]) new_zeros((2,))
__format__("") backward(f(2,3))
__array_wrap__(np.ones(2)) reshape(3,2) permute(1,0) flip(0,1) tile(2,1) sort(descending=True) max(1) type(torch.float64)
"""

MORE_METHODS = """
f(2, 3).numpy(); f(2, 3).clone().detach_()
f(2).new([1, 2]); g(5).unfold(0, 3, 2); f(2, 4).unfold(1, 2, 1)
g(2, 3).register_hook(lambda grad: grad); g(2, 3).register_post_accumulate_grad_hook(lambda p: None); f(2, 3).where(m(2, 3), f(3))
n(2, 3).__and__(n(3)); n(2, 3).__rand__(1); n(2).__or__(n(2)); n(2).__ror__(1); m(2).__xor__(m(2)); n(2).__rxor__(1)
m(2).__invert__(); f(1).__bool__(); f(1).__float__(); n(1).__int__(); n().__index__(); f(1).item()
f(2, 3).clone().__iadd__(f(3)); f(2).clone().__isub__(1); f(2).clone().__imul__(2); f(2).clone().__itruediv__(2)
f(2).clone().__ifloordiv__(2); f(2).clone().__imod__(2); f(2).clone().__ipow__(2); n(2).clone().__iand__(n(2))
n(2).clone().__ior__(1); n(2).clone().__ixor__(1); assign(f(2, 3), 0, 1.0); assign(f(2, 3), m(2, 3), f())
assign(f(4), n(2), f(2)); assign(f(3, 3), (slice(1, None), 0), f(2)); g(2, 3).sum().backward()
f(2, 3).bernoulli(0.5); f(2, 3).normal_(0, 1); f(3, 3).fill_diagonal_(2);

"""

MODULES = """
AdaptiveAvgPool2d(2)(g(1, 2, 5, 5)); AdaptiveAvgPool2d((1, None))(f(2, 4, 4)); AvgPool2d(2)(g(1, 2, 4, 4))
AvgPool2d(3, 2, 1, True, False)(f(1, 1, 5, 5)); BCELoss()(g(3).sigmoid(), f(3).sigmoid())
BCELoss(f(3).abs(), reduction="sum")(f(3).sigmoid(), f(3).sigmoid()); BCEWithLogitsLoss()(g(3), f(3).sigmoid())
BCEWithLogitsLoss(pos_weight=f(3))(f(2, 3), f(2, 3)); BatchNorm1d(3)(g(4, 3)); BatchNorm1d(3, 1e-3, None, False, False)(f(2, 3, 4))
BatchNorm2d(3)(g(2, 3, 4, 4)); BatchNorm2d(3, momentum=0.5, affine=False).eval()(f(2, 3, 4, 4)); Buffer(f(2))
CircularPad2d(1)(g(1, 2, 3, 3)); ConstantPad2d((1, 2, 0, 1), 3.5)(f(2, 3, 3)); Conv2d(3, 4, 3)(g(2, 3, 5, 5))
Conv2d(4, 4, (2, 3), 2, 1, 2, 4, False)(f(1, 4, 7, 7)); Conv2d(2, 3, 3, padding=1, padding_mode="reflect")(f(2, 4, 4))
Conv2d(2, 3, 3, padding="same")(f(1, 2, 4, 4)); CrossEntropyLoss()(g(4, 3), n(4)); CrossEntropyLoss(f(3).abs(), label_smoothing=0.1)(f(4, 3), n(4))
CrossEntropyLoss(ignore_index=1, reduction="none")(f(2, 3, 4), n(2, 4)); CrossEntropyLoss()(f(4, 3), f(4, 3).softmax(1))
Dropout(0.5)(g(2, 3)); Dropout(0.2, True).eval()(f(2, 3)); Dropout2d(0.5)(g(1, 2, 3, 3)); ELU(0.5)(g(2, 3)); Embedding(5, 3)(n(4))
Embedding(5, 3, padding_idx=1, max_norm=1.0)(n(2, 2)); Flatten()(g(2, 3, 4)); Flatten(0, -1)(f(2, 3)); GELU("tanh")(g(2, 3)); GELU()(f(2))
HuberLoss()(g(3), f(3)); HuberLoss("sum", 0.5)(f(3), f(3)); Identity()(f(2)); Identity(1, 2, a=3)(f(2)); L1Loss()(g(3), f(3))
LeakyReLU(0.1)(g(2, 3)); Linear(3, 4)(g(2, 3)); Linear(3, 2, False)(f(3)); LogSoftmax(1)(g(2, 3)); MSELoss()(g(2, 3), f(2, 3))
MSELoss(reduction="none")(f(2), f(2)); MaxPool2d(2)(g(1, 2, 4, 4)); MaxPool2d(3, 2, 1, 1, True, True)(f(2, 5, 5)); Module().train()
ModuleDict({"a": nn.ReLU()})["a"](f(2)); ModuleList([nn.ReLU(), nn.Tanh()])[1](f(2)); NLLLoss()(g(4, 3), n(4)); NLLLoss(f(3), ignore_index=2)(f(4, 3), n(4))
Parameter(f(2)); Parameter(f(2), False); ParameterDict({"a": f(2)})["a"]; ParameterList([f(2), f(3)])[0]; ReLU()(g(2, 3)); ReLU(True)(f(2))
ReflectionPad2d(1)(g(1, 2, 3, 3)); ReplicationPad2d((1, 0, 2, 1))(f(2, 3, 3)); Sequential(nn.Linear(3, 2), nn.ReLU())(g(2, 3)); SiLU()(g(2, 3))
Sigmoid()(g(2, 3)); SmoothL1Loss()(g(3), f(3)); SmoothL1Loss(beta=0.5)(f(3), f(3)); Softmax(1)(g(2, 3)); Softplus(2, 10)(g(2, 3)); Tanh()(g(2, 3))
Unflatten(1, (2, 3))(g(2, 6)); ZeroPad2d(1)(g(1, 2, 3, 3)); Linear(3, 2).load_state_dict(nn.Linear(3, 2).state_dict()).__class__.__name__
Linear(3, 2).to(torch.float64).weight.dtype; Linear(3, 2).register_buffer("b", f(2)); Linear(3, 2).register_parameter("b", None)
Sequential(nn.ReLU()).append(nn.Tanh())[1](f(2)); Linear(3, 2).get_parameter("weight").shape; Linear(3, 2).apply(lambda m: None).in_features
Sequential(nn.Linear(3, 2))[0].in_features; Linear(3, 2).add_module("x", nn.ReLU()); Linear(3, 2).requires_grad_(False).weight.requires_grad
"""

FUNCTIONAL = """
adaptive_avg_pool2d(g(1, 2, 5, 5), 2); adaptive_max_pool2d(g(1, 2, 5, 5), (2, 3)); adaptive_max_pool2d(f(2, 5, 5), 2, True)
adaptive_max_pool2d_with_indices(f(1, 1, 4, 4), 2); avg_pool2d(g(1, 2, 4, 4), 2); avg_pool2d(f(2, 5, 5), 3, 2, 1, True, False, 4)
batch_norm(g(2, 3), f(3), f(3).abs()); batch_norm(f(2, 3, 2), None, None, f(3), f(3), True, 0.2, 1e-3)
binary_cross_entropy(g(3).sigmoid(), f(3).sigmoid()); binary_cross_entropy_with_logits(g(3), f(3)); conv2d(g(1, 2, 4, 4), f(3, 2, 3, 3), f(3), 1, "same")
conv2d(g(2, 4, 9, 9), g(8, 2, 3, 3), g(8), (2, 1), (1, 0), (1, 2), 2)
cross_entropy(g(4, 3), n(4)); cross_entropy(f(4, 3), n(4), f(3).abs(), reduction="sum", label_smoothing=0.2); cross_entropy(f(3), n())
dropout(g(2, 3), 0.5); dropout(f(2), 0.5, False, True); dropout1d(g(2, 3, 4), 0.5); dropout2d(g(1, 2, 3, 3), 0.5)
elu(g(2, 3), 0.5); elu_(f(2)); embedding(n(4), g(5, 3)); embedding(n(2, 2), f(3, 2), 1); gelu(g(2, 3)); gelu(f(2), approximate="tanh")
huber_loss(g(3), f(3)); kl_div(g(3), f(3).sigmoid()); kl_div(f(2, 3), f(2, 3), reduction="batchmean", log_target=True); l1_loss(g(3), f(3))
leaky_relu(g(2, 3), 0.1); leaky_relu_(f(2)); linear(g(2, 3), f(4, 3), f(4)); linear(f(3), f(3)); log_softmax(g(2, 3), 1); max_pool2d(g(1, 2, 4, 4), 2)
max_pool2d(f(1, 2, 5, 5), 3, 2, 1, 1, True, True); max_pool2d(g(1, 2, 7, 7), (2, 3), (1, 2), (1, 1), (2, 1))
max_pool2d_with_indices(f(1, 2, 4, 4), 2, return_indices=True); mse_loss(g(2, 3), f(2, 3)); nll_loss(g(4, 3), n(4))
normalize(g(2, 3)); normalize(f(2, 3), 1, 0); one_hot(n(4)); one_hot(n(2, 2), 5); pad(g(2, 3), (1, 2)); pad(f(1, 2, 3, 3), (1, 1, 1, 1), "reflect")
pad(f(1, 2, 3, 3), (1, 0, 0, 1), "circular"); pad(f(2, 3), (-1, 1, 0, 1), value=2.0); relu(g(2, 3)); relu_(f(2)); sigmoid(g(2, 3)); silu(g(2, 3)); smooth_l1_loss(g(3), f(3))
softmax(g(2, 3), 1); softmax(f(3), 0, dtype=torch.float64); softplus(g(2, 3)); tanh(g(2, 3))
"""

ROOMS = {
    "nn": MODULES,
    "nn.functional": FUNCTIONAL,
    "nn.init": """
calculate_gain("relu"); calculate_gain("leaky_relu", 0.2); constant_(f(2, 3), 1.5); dirac_(f(3, 2, 3, 3)); eye_(f(2, 3)); kaiming_normal_(f(4, 3))
constant(f(2), 1.0); dirac(f(2, 2, 3)); eye(f(2, 2)); kaiming_normal(f(2, 2)); kaiming_uniform(f(2, 2)); normal(f(2)); orthogonal(f(2, 2)); sparse(f(4, 2), 0.5)
uniform(f(2)); xavier_normal(f(2, 2)); xavier_uniform(f(2, 2)); kaiming_normal_(f(4, 3, 2, 2), a=0.1, mode="fan_out", nonlinearity="leaky_relu")
kaiming_uniform_(f(4, 3)); normal_(f(2, 3), 1.0, 2.0); ones_(f(2)); orthogonal_(f(3, 2), 2.0); sparse_(f(4, 2), 0.5, 0.1); trunc_normal_(f(3), 0.0, 1.0, -1.0, 1.0)
uniform_(f(2, 3), -1.0, 1.0); xavier_normal_(f(2, 3)); xavier_uniform_(f(2, 3), gain=2.0); zeros_(f(2))""",
    "nn.utils": """
clip_grad_norm_(with_gradients(), 1.0); clip_grad_norm_(with_gradients(), 1.0, norm_type=1.0); clip_grad_value_(with_gradients(), 0.5)
parameters_to_vector(params()); vector_to_parameters(f(8), params())""",
    "optim": """
Adadelta(with_gradients(), lr=0.5, rho=0.8, eps=1e-5, weight_decay=0.1).step(); Adagrad(with_gradients(), lr=0.1, lr_decay=0.1).step()
Adam(with_gradients(), lr=0.1, betas=(0.8, 0.9), eps=1e-6, weight_decay=0.1, amsgrad=True).step(); AdamW(with_gradients(), 0.1).step()
RMSprop(with_gradients(), lr=0.1, alpha=0.9, momentum=0.5, centered=True).step(); SGD(with_gradients(), lr=0.1, momentum=0.9, nesterov=True).step()
SGD([{"params": params(), "lr": 0.5}], lr=0.1).zero_grad(); Optimizer(params(), {"lr": 0.1}).zero_grad(); SGD(params(), 0.1).add_param_group({"params": [nn.Parameter(f(2))]})
SGD(params(), 0.1).load_state_dict(torch.optim.SGD(params(), 0.5).state_dict()); SGD(with_gradients(), lr=0.1, dampening=0.2, momentum=0.5, weight_decay=0.1, maximize=True).step(lambda: f())""",
    "optim.lr_scheduler": """
ChainedScheduler([torch.optim.lr_scheduler.ConstantLR(opt())]).get_last_lr(); ConstantLR(opt(), 0.5, 3).get_last_lr(); CosineAnnealingLR(opt(), 10, 0.01).get_last_lr(); CosineAnnealingWarmRestarts(opt(), 3, 2).get_last_lr()
ExponentialLR(opt(), 0.9).step(); LambdaLR(opt(), lambda e: 0.9**e).get_last_lr(); LinearLR(opt(), 0.5, 1.0, 4).get_last_lr(); MultiStepLR(opt(), [2, 4], 0.1).step()
MultiplicativeLR(opt(), lambda e: 0.9).step(); OneCycleLR(opt(), 0.5, total_steps=10).get_last_lr(); OneCycleLR(opt(), 0.5, epochs=2, steps_per_epoch=5, pct_start=0.2, anneal_strategy="linear").get_last_lr()
PolynomialLR(opt(), 5, 2.0).step(); ReduceLROnPlateau(opt(), "min", 0.5, 1).step(1.0); StepLR(opt(), 2, 0.1).step()
SequentialLR(o := opt(), [torch.optim.lr_scheduler.ConstantLR(o), torch.optim.lr_scheduler.ExponentialLR(o, 0.9)], [3]).get_last_lr()""",
    "utils.data": """
BatchSampler(range(5), 2, False).__iter__().__next__(); BatchSampler([1, 2, 3], 2, True).__iter__().__next__(); ChainDataset([[1], [2]]); ConcatDataset([[1, 2], [3]])[2]
DataLoader(pairs(), 2).__iter__().__next__(); DataLoader(pairs(), batch_size=3, shuffle=True, drop_last=True, num_workers=0).__iter__().__next__(); DataLoader([1, 2, 3], batch_size=2, sampler=[0, 2]).__iter__().__next__()
DataLoader(range(4), batch_sampler=[[0, 1], [3]]).__iter__().__next__(); Dataset().__class__.__name__; IterableDataset().__class__.__name__; Sampler().__class__.__name__
RandomSampler(range(5), True, 3).__len__(); RandomSampler(range(5)).__iter__().__next__(); SequentialSampler(range(3)).__len__();
StackDataset([1, 2], [3, 4])[1]; Subset([1, 2, 3], [2, 0])[0]; SubsetRandomSampler([1, 3, 5]).__len__(); TensorDataset(f(3, 2), n(3))[1]; WeightedRandomSampler([0.1, 0.9], 4, True).__len__()
WeightedRandomSampler([0.1, 0.9], 4).__iter__().__next__(); default_collate([1, 2, 3]); default_collate([(f(2), 1), (f(2), 2)]); default_collate([{"a": 1.0}, {"a": 2.0}]); default_convert([np.ones(2)])
get_worker_info(); random_split(range(5), [3, 2])[0][0]; random_split(range(10), [0.3, 0.7])[1].__len__()""",
    "utils.tensorboard": """
SummaryWriter("events").add_scalar("a", 1.0, 2); SummaryWriter("events").add_image("a", f(3, 4, 4).sigmoid(), 1); SummaryWriter("events").add_histogram("a", f(5), 1); SummaryWriter("events").add_text("a", "b")""",
    "vision.transforms": """
CenterCrop(3)(pic("RGB", 5, 4)); CenterCrop((2, 7))(f(3, 4, 5)); ColorJitter(0.5, 0.5, 0.5, 0.1)(pic("RGB", 4, 4)); Compose([T.ToTensor()])(pic("L", 3, 3)); ConvertImageDtype(torch.float32)(u(3, 2, 2))
FiveCrop(2)(pic("RGB", 4, 4)); GaussianBlur(3, (0.1, 2.0))(pic("RGB", 5, 5)); Grayscale(3)(pic("RGB", 3, 3)); Lambda(lambda x: x)(1); Normalize((0.5, 0.5, 0.5), (0.2, 0.2, 0.2))(f(3, 2, 2)); Normalize([0.5], [0.5], True)(f(1, 2, 2))
PILToTensor()(pic("RGB", 3, 2)); Pad(1)(pic("RGB", 3, 3)); Pad((1, 2), 3, "reflect")(f(3, 4, 4)); RandomAdjustSharpness(2, 1.0)(pic("RGB", 4, 4)); RandomAffine(30, (0.1, 0.1), (0.9, 1.1), 5)(pic("RGB", 5, 5))
RandomApply([T.ToTensor()], 0.5)(pic("L", 2, 2)); RandomAutocontrast(1.0)(u(3, 3, 3)); RandomChoice([T.ToTensor(), T.PILToTensor()])(pic("L", 2, 2)); RandomCrop(3)(pic("RGB", 5, 4)); RandomCrop(4, 1, True, 0, "edge")(f(3, 3, 3))
RandomEqualize(1.0)(pic("L", 4, 4)); RandomErasing(1.0)(f(3, 6, 6)); RandomErasing(0.5, (0.1, 0.2), (0.5, 2.0), "random")(f(3, 6, 6)); RandomGrayscale(1.0)(pic("RGB", 3, 3)); RandomHorizontalFlip(0.5)(f(3, 4, 4)); RandomInvert(1.0)(pic("RGB", 3, 3))
RandomOrder([T.RandomHorizontalFlip()])(pic("L", 2, 2)); RandomPosterize(2, 1.0)(pic("RGB", 3, 3)); RandomResizedCrop(3)(pic("RGB", 6, 6)); RandomRotation(20)(pic("RGB", 5, 5)); RandomRotation((0, 90), expand=True)(f(3, 4, 4)); RandomSolarize(100, 1.0)(u(3, 3, 3))
RandomVerticalFlip(0.5)(pic("L", 3, 3)); Resize(3)(pic("RGB", 6, 5)); Resize((3, 4))(f(3, 6, 5)); Resize(4, T.InterpolationMode.BICUBIC, 9)(u(3, 6, 5)); TenCrop(2, True)(pic("RGB", 4, 4)); ToPILImage()(f(3, 2, 2).sigmoid()); ToTensor()(pic("RGB", 3, 2)); ToTensor()(np.zeros((2, 3, 3), np.uint8))""",
    "vision.transforms.functional": """
adjust_brightness(pic("RGB", 3, 3), 1.5); adjust_contrast(u(3, 3, 3), 0.5); adjust_gamma(pic("RGB", 3, 3), 2, 1); adjust_hue(pic("RGB", 3, 3), 0.1); adjust_hue(f(3, 2, 2).sigmoid(), -0.2); adjust_saturation(f(3, 2, 2).sigmoid(), 2.0)
adjust_sharpness(pic("RGB", 4, 4), 2.0); affine(pic("RGB", 4, 4), 30.0, [1, 2], 1.5, [5.0, 0.0]); affine(f(3, 4, 4), 30.0, [1, 2], 1.5, [5.0]); autocontrast(u(3, 3, 3)); center_crop(f(3, 5, 5), 3); convert_image_dtype(u(3, 2, 2), torch.float32)
crop(f(3, 5, 5), 1, 1, 2, 2); crop(pic("RGB", 4, 4), 0, 1, 3, 2); equalize(u(1, 4, 4)); erase(f(3, 4, 4), 1, 1, 2, 2, f()); five_crop(f(3, 4, 4), 2); gaussian_blur(f(3, 5, 5), 3, 1.0); gaussian_blur(pic("RGB", 5, 5), [3, 5])
get_dimensions(f(3, 4, 5)); get_image_num_channels(pic("L", 2, 2)); get_image_size(f(3, 4, 5)); hflip(f(3, 2, 2)); invert(pic("RGB", 2, 2)); normalize(f(3, 2, 2), [0.5, 0.5, 0.5], [0.2, 0.2, 0.2]); pad(f(3, 3, 3), [1, 2]); pad(pic("RGB", 3, 3), 1, 5, "edge")
pil_to_tensor(pic("RGB", 2, 2)); posterize(u(3, 2, 2), 3); resize(f(3, 6, 6), [3, 4]); resize(pic("RGB", 6, 6), 3, T.InterpolationMode.NEAREST); resized_crop(f(3, 6, 6), 1, 1, 4, 4, [3, 3]); rgb_to_grayscale(f(3, 2, 2)); rotate(pic("RGB", 4, 4), 30)
rotate(f(3, 4, 4), 45.0, expand=True, fill=[1.0]); solarize(u(3, 2, 2), 100); ten_crop(f(3, 4, 4), 2); to_grayscale(pic("RGB", 2, 2), 3); to_pil_image(u(3, 2, 2)); to_tensor(pic("L", 2, 2)); vflip(pic("RGB", 2, 2))""",
    "vision.datasets": """
FakeData(3, (3, 4, 4), 2)[0]; ImageFolder("pictures")[0]; DatasetFolder("pictures", lambda path: 1, (".png",))[0]; Shapes10(train=False)[3]""",
    "vision.models": """
resnet18(num_classes=2).fc.out_features;
ResNet18_Weights.verify("DEFAULT").name; ResNet34_Weights.verify(None); ResNet50_Weights.verify(None); ResNet101_Weights.verify(None); ResNet152_Weights.verify(None); VGG11_Weights.verify(None); VGG11_BN_Weights.verify(None); VGG13_Weights.verify(None)
VGG13_BN_Weights.verify(None); VGG16_Weights.verify("DEFAULT").name; VGG16_BN_Weights.verify(None); VGG19_Weights.verify(None); VGG19_BN_Weights.verify(None)""",
    "vision.utils": """
make_grid(f(3, 3, 4, 4)); make_grid(f(4, 1, 3, 3), 2, 1, True, (0.0, 1.0), False, 0.5); make_grid([f(3, 2, 2), f(3, 2, 2)]); save_image(f(3, 4, 4), "out.png"); save_image(f(2, 3, 4, 4), io.BytesIO(), "png")""",
    "autograd": """
Variable(f(2), requires_grad=True); backward(g(2).sum()); backward([g(2)], [f(2)]); grad(x.sum() if (x := g(2)) is not None else 0, x); grad((x := g(2)) * 2, [x], f(2), allow_unused=True); detect_anomaly().__class__.__name__; enable_grad().__class__.__name__
gradcheck(lambda x: x * 2, torch.ones(2, dtype=torch.float64, requires_grad=True)); inference_mode().__class__.__name__; no_grad().__class__.__name__; set_detect_anomaly(False); set_grad_enabled(True); is_anomaly_check_nan_enabled(); is_anomaly_enabled(); is_grad_enabled(); is_inference_mode_enabled()""",
    "backends": """
current(); use("numpy")""",
    "cuda": """
device_count(); empty_cache(); is_available(); is_initialized(); manual_seed(3); manual_seed_all(3); max_memory_allocated(); memory_allocated()
memory_reserved(); seed(); seed_all()""",
    "random": """
Generator().initial_seed(); fork_rng().__class__.__name__; fork_rng([]); get_rng_state().shape; initial_seed(); manual_seed(3).initial_seed(); seed() > 0; set_rng_state(torch.get_rng_state())""",
    "serialization": """
load(saved()); save([1, f(2)], io.BytesIO()); save({"a": 1}, "file.pth")""",
    "serialization.safetensors": """
load(b"\\x02" + bytes(7) + b"{}"); load_file("weights.safetensors"); save({"a": f(2)}); save_file({"a": f(2)}, "file.safetensors", {"b": "c"})""",
    "models": """
BatchNormNet()(f(1, 3, 32, 32)).shape; LeNet(5)(f(1, 3, 32, 32)).shape; QuickNet(10)(f(1, 3, 32, 32)).shape; Normalization((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)); bn(); lenet(num_classes=3); quick()""",
}


def calls() -> dict[str, list[str]]:
    """For each name the calls that use it, as expressions."""
    found: dict[str, list[str]] = {}

    def note(name: str, expression: str) -> None:
        found.setdefault(name, []).append(expression)

    for line in SHARED.strip().splitlines():
        names, _, arguments = line.partition(": ")
        if not arguments:  # a line of names that goes on
            raise ValueError(f"no arguments: {line}")
        for name in names.split():
            for given in arguments.split("; "):
                first, rest = _first(given)
                note(f"torch.{name}", f"torch.{name}({given})")
                if hasattr(minitorch_cifar.Tensor, name):
                    note(f"Tensor.{name}", f"{first}.{name}({rest})")
                if hasattr(minitorch_cifar.Tensor, f"{name}_"):
                    note(f"Tensor.{name}_", f"{first}.clone().{name}_({rest})")
    for call in _split(FUNCTIONS):
        note(f"torch.{_head(call)}", f"torch.{call}")
    for call in METHODS.split():
        receiver = "f(2, 3)" if _head(call).endswith("_") else "g(2, 3)"
        note(f"Tensor.{_head(call)}", f"{receiver}.{call}")
    for call in _split(MORE_METHODS):
        note(f"Tensor.{'__setitem__' if call.startswith('assign') else _last(call)}", call)
    for room, text in ROOMS.items():
        prefix = room if room.startswith("vision") else f"torch.{room}"
        for call in _split(text):
            note(f"{room}.{_head(call)}", f"{prefix}.{call}")
    return found


def _split(text: str) -> list[str]:
    return [
        call.strip("; ")
        for line in text.strip().splitlines()
        for call in line.split("; ")
        if call.strip("; ")
    ]


def _head(call: str) -> str:
    """The name that a call starts with."""
    return re.match(r"\w+", call)[0]  # type: ignore[index]


def _last(call: str) -> str:
    """The method that a chain of calls ends with."""
    node = ast.parse(call, mode="eval").body
    node = node.func if isinstance(node, ast.Call) else node
    return node.attr if isinstance(node, ast.Attribute) else ""


def _first(arguments: str) -> tuple[str, str]:
    """The first of some arguments, and the others."""
    call = ast.parse(f"_({arguments})", mode="eval").body
    assert isinstance(call, ast.Call)
    first = ast.unparse(call.args.pop(0))
    return first, ast.unparse(call)[2:-1]
