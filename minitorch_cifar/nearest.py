"""The nearest thing in meaning for names of PyTorch's that learners' programs use and the engine lacks.

`missing.py` says it in the error; for all other names it looks for the nearest spelling. Names are PyTorch's:
`torchvision` is `minitorch_cifar.vision`.
"""

from __future__ import annotations

from typing import Final

__all__ = ["NEAREST"]

_RECURRENT = (
    "Recurrent layers are outside of its purpose; torch.nn.Linear and torch.tanh, once per step, make one"
)
_ATTENTION = (
    "Attention is outside of its purpose; torch.nn.Linear, torch.matmul, torch.masked_fill and torch.softmax "
    "make it"
)
_LAYER_NORM = (
    "The nearest is torch.nn.BatchNorm1d; torch.mean and torch.var along the last dimension make one"
)
_LARGER = (
    "To enlarge pictures, torch.repeat_interleave along dimensions 2 and 3 repeats pixels; torch.nn.Conv2d "
    "after it learns"
)
_PARALLEL = "One process trains, on the CPU's cores; use the model as it is"
_DTYPES = "It computes in torch.float32 and torch.float64"
_COMPILED = "Leave the call out: models run as they are, on kernels that Numba compiled"
_LINEAR_ALGEBRA = (
    "torch.norm and torch.matmul are; numpy.linalg takes x.numpy(), and torch.from_numpy its result"
)
_BY_NUMPY = "NumPy's function takes x.numpy(), and torch.from_numpy its result"
_AUGMENTATION = (
    "The nearest are torchvision.transforms.ColorJitter, torchvision.transforms.RandomAffine and "
    "torchvision.transforms.RandomErasing"
)

_GROUPS: Final = {
    "LSTM GRU RNN LSTMCell GRUCell RNNCell": _RECURRENT,
    "MultiheadAttention scaled_dot_product_attention": _ATTENTION,
    "Transformer TransformerEncoder TransformerEncoderLayer TransformerDecoderLayer": _ATTENTION,
    "LayerNorm layer_norm RMSNorm": _LAYER_NORM,
    "GroupNorm InstanceNorm2d SyncBatchNorm": "The nearest is torch.nn.BatchNorm2d",
    "ConvTranspose2d conv_transpose2d Upsample UpsamplingNearest2d UpsamplingBilinear2d": _LARGER,
    "interpolate upsample PixelShuffle": _LARGER,
    "Conv1d MaxPool1d AvgPool1d conv1d max_pool1d": (
        "torch.nn.Conv2d, torch.nn.MaxPool2d and torch.nn.AvgPool2d do it on pictures of height 1: "
        "torch.unsqueeze(x, 2)"
    ),
    "DataParallel parallel distributed DistributedSampler": _PARALLEL,
    "PReLU RReLU": "The nearest is torch.nn.LeakyReLU",
    "ReLU6 relu6 Hardtanh hardtanh": "torch.clamp(x, 0, 6) is ReLU6",
    "Hardswish Mish hardswish mish": "The nearest is torch.nn.SiLU",
    "LogSigmoid logsigmoid": "-torch.nn.functional.softplus(-x) is the logarithm of torch.sigmoid(x)",
    "KLDivLoss": "torch.nn.functional.kl_div computes it",
    "CosineSimilarity cosine_similarity CosineEmbeddingLoss": (
        "It is the sum of products of torch.nn.functional.normalize(x) and torch.nn.functional.normalize(y)"
    ),
    "TripletMarginLoss triplet_margin_loss MarginRankingLoss": (
        "torch.relu of a difference of distances by torch.norm makes it"
    ),
    "MultiMarginLoss multi_margin_loss": "The nearest is torch.nn.CrossEntropyLoss",
    "AdaptiveMaxPool2d": "torch.nn.functional.adaptive_max_pool2d computes it",
    "Unfold unfold": "torch.Tensor.unfold is, along one dimension at a time",
    "einsum tensordot": "torch.matmul and torch.bmm are, and torch.sum of a broadcast product",
    "inner": "torch.dot is for vectors, torch.matmul for all others",
    "ger": "torch.outer is the same",
    "compile jit": _COMPILED,
    "onnx": "torch.save writes files that PyTorch reads and can export",
    "hub": "Ready networks are in torchvision.models",
    "linalg det inverse pinverse svd qr cholesky slogdet": _LINEAR_ALGEBRA,
    "fft atan atan2 asin acos sinh cosh quantile lgamma erfinv": _BY_NUMPY,
    "histc histogram mode": "torch.bincount counts whole numbers",
    "kthvalue": "torch.sort and torch.topk give it",
    "cdist dist": "torch.norm of a difference is a distance",
    "nan_to_num": "torch.where and torch.isnan do it",
    "searchsorted bucketize": "The sum of comparisons x[:, None] > boundaries along dimension 1 gives it",
    "std_mean var_mean": "torch.std, torch.var and torch.mean are",
    "dstack column_stack": "torch.stack and torch.cat along a dimension are",
    "atleast_1d atleast_2d atleast_3d": "torch.unsqueeze adds dimensions",
    "diff": "x[1:] - x[:-1] is the difference of neighbours",
    "rot90": "torch.flip of torch.transpose turns pictures",
    "detach": "The method torch.Tensor.detach is the same",
    "take_along_dim": "torch.gather is nearly the same",
    "index_fill index_fill_ index_put index_put_ masked_scatter_": (
        "Writing to x[indices] is the same; torch.masked_fill makes a new tensor"
    ),
    "float16 bfloat16 half autocast amp GradScaler": _DTYPES,
    "int8 int16 short": "Its integers are torch.uint8, torch.int32 and torch.int64",
    "complex64 complex128 complex": "Keep real and imaginary parts as two tensors",
    "to_sparse sparse sparse_coo_tensor": "All its tensors are dense",
    "set_default_device": "The CPU is the only device; leave the call out",
    "distributions": "torch.normal, torch.bernoulli, torch.multinomial, torch.Tensor.uniform_ draw numbers",
    "profiler": "Python's cProfile measures programs",
    "LBFGS": "The nearest are torch.optim.SGD and torch.optim.Adam",
    "CyclicLR": "The nearest is torch.optim.lr_scheduler.OneCycleLR",
    "swa_utils": "torch.Tensor.lerp_ of copies of the parameters averages them",
    "alexnet googlenet inception_v3 squeezenet1_0 densenet121 mobilenet_v2 mobilenet_v3_small": (
        "The nearest are torchvision.models.vgg11 and torchvision.models.resnet18"
    ),
    "efficientnet_b0 convnext_tiny vit_b_16": "The nearest is torchvision.models.resnet50",
    "io read_image": "PIL.Image.open reads pictures, torchvision.transforms.PILToTensor converts them",
    "v2": "torchvision.transforms has the same transforms in their first form",
    "AutoAugment RandAugment TrivialAugmentWide AugMix": _AUGMENTATION,
    "RandomPerspective": "The nearest is torchvision.transforms.RandomAffine",
    "draw_bounding_boxes": "PIL.ImageDraw draws on torchvision.transforms.ToPILImage()(x)",
}  # fmt: skip

NEAREST: Final = {name: words for names, words in _GROUPS.items() for name in names.split()}
