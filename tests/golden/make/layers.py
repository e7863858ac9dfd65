"""What PyTorch makes of every layer of the spec language: writes layers.json and layers.safetensors.

Run with PyTorch 2.11, numpy and safetensors, in this folder: `python layers.py`. Each case is a layer as a spec has it
beside the PyTorch module that it stands for. All numbers are float64. Of each case `NAME`:

- `NAME/drawn/P`: parameters as the constructor draws them after `torch.manual_seed(SEED)`;
- `NAME/state/P`: parameters and buffers that the passes below are run with;
- `NAME/x`: the input; `NAME/train`, `NAME/eval`: the output in either mode;
- `NAME/train/grad/P`, `NAME/eval/grad/P`: gradients of `sum(cos(arange(n)) * output)` with respect to `x` and parameters.
"""

import json
import pathlib

import torch
from safetensors.torch import save_file
from torch import nn

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)
HERE = pathlib.Path(__file__).resolve().parent.parent


class First(nn.Module):
    """A module that gives several results, of which the first counts."""

    def __init__(self, inner, attend=False, causal=False):
        super().__init__()
        self.inner, self.attend, self.causal = inner, attend, causal

    def forward(self, x):
        if not self.attend:
            return self.inner(x)[0]
        mask = nn.Transformer.generate_square_subsequent_mask(x.shape[1]) if self.causal else None
        return self.inner(x, x, x, attn_mask=mask)[0]


class Causal(nn.Module):
    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, x):
        return self.inner(x, src_mask=nn.Transformer.generate_square_subsequent_mask(x.shape[1]), is_causal=True)


class Shape(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


class Residual(nn.Module):
    def __init__(self, **layers):
        super().__init__()
        for name, layer in layers.items():
            self.add_module(name, layer)

    def forward(self, x):
        y = x
        for layer in self.children():
            y = layer(y)
        return x + y


encoder = lambda *a, **k: nn.TransformerEncoderLayer(*a, **{"dropout": 0.0, "batch_first": True} | k)
attention = lambda *a, **k: First(nn.MultiheadAttention(*a, batch_first=True, **k), attend=True)

# Layer of the spec, shape of one example, PyTorch's module.
CASES = [
    ("{ linear = { out = 3 } }", [4], lambda: nn.Linear(4, 3)),
    ("{ linear = { in_features = 4, out_features = 2, bias = false } }", [4], lambda: nn.Linear(4, 2, bias=False)),
    ("{ linear = { in = 2, out = 3 } }", [3, 2], lambda: nn.Linear(2, 3)),
    ("{ conv1d = { out = 3, kernel = 3 } }", [2, 6], lambda: nn.Conv1d(2, 3, 3)),
    ('{ conv1d = { out = 2, kernel = 4, padding = "same", dilation = 1 } }', [2, 6], lambda: nn.Conv1d(2, 2, 4, padding="same")),
    ('{ conv1d = { in_channels = 4, out_channels = 2, kernel_size = [3], stride = 2, padding = 2, groups = 2, bias = false, padding_mode = "circular" } }', [4, 5],
     lambda: nn.Conv1d(4, 2, 3, stride=2, padding=2, groups=2, bias=False, padding_mode="circular")),
    ("{ conv2d = { out = 2, kernel = 3, padding = 1 } }", [2, 4, 5], lambda: nn.Conv2d(2, 2, 3, padding=1)),
    ('{ conv2d = { out = 3, kernel = [2, 3], padding = "same", dilation = [3, 1] } }', [1, 6, 4], lambda: nn.Conv2d(1, 3, (2, 3), padding="same", dilation=(3, 1))),
    ('{ conv2d = { out = 4, kernel = 2, stride = [2, 1], padding = [1, 2], groups = 2, padding_mode = "reflect" } }', [2, 4, 3],
     lambda: nn.Conv2d(2, 4, 2, stride=(2, 1), padding=(1, 2), groups=2, padding_mode="reflect")),
    ('{ conv2d = { out = 1, kernel = 3, padding = "same", padding_mode = "replicate", bias = false } }', [2, 3, 3],
     lambda: nn.Conv2d(2, 1, 3, padding="same", padding_mode="replicate", bias=False)),
    ("{ conv_transpose2d = { out = 2, kernel = 3 } }", [3, 3, 2], lambda: nn.ConvTranspose2d(3, 2, 3)),
    ("{ conv_transpose2d = { out = 1, kernel = [2, 3], stride = 2, padding = [0, 1], output_padding = 1, bias = false } }", [2, 2, 3],
     lambda: nn.ConvTranspose2d(2, 1, (2, 3), stride=2, padding=(0, 1), output_padding=1, bias=False)),
    ("{ conv_transpose2d = { in_channels = 4, out_channels = 2, kernel_size = 2, groups = 2, dilation = [2, 1] } }", [4, 2, 2],
     lambda: nn.ConvTranspose2d(4, 2, 2, groups=2, dilation=(2, 1))),
    ('"batch_norm1d"', [3], lambda: nn.BatchNorm1d(3)),
    ("{ batch_norm1d = { num_features = 2, eps = 0.01, momentum = 0.3 } }", [2, 4], lambda: nn.BatchNorm1d(2, eps=0.01, momentum=0.3)),
    ("{ batch_norm1d = { affine = false, track_running_stats = false } }", [3], lambda: nn.BatchNorm1d(3, affine=False, track_running_stats=False)),
    ('"batch_norm2d"', [2, 2, 3], lambda: nn.BatchNorm2d(2)),
    ("{ batch_norm2d = { affine = false } }", [2, 3, 2], lambda: nn.BatchNorm2d(2, affine=False)),
    ("{ batch_norm2d = { features = 3, track_running_stats = false, momentum = 0.5 } }", [3, 1, 2], lambda: nn.BatchNorm2d(3, track_running_stats=False, momentum=0.5)),
    ('"layer_norm"', [4], lambda: nn.LayerNorm(4)),
    ("{ layer_norm = { shape = [2, 3], eps = 0.01 } }", [3, 2, 3], lambda: nn.LayerNorm([2, 3], eps=0.01)),
    ("{ layer_norm = { normalized_shape = 3, bias = false } }", [2, 3], lambda: nn.LayerNorm(3, bias=False)),
    ("{ layer_norm = { elementwise_affine = false } }", [5], lambda: nn.LayerNorm(5, elementwise_affine=False)),
    ("{ group_norm = { groups = 2 } }", [4, 3], lambda: nn.GroupNorm(2, 4)),
    ("{ group_norm = { num_groups = 1, num_channels = 2, eps = 0.1 } }", [2, 2, 2], lambda: nn.GroupNorm(1, 2, eps=0.1)),
    ("{ group_norm = { groups = 3, affine = false } }", [6], lambda: nn.GroupNorm(3, 6, affine=False)),
    ("{ embedding = { size = 5, dim = 3 } }", [4], lambda: nn.Embedding(5, 3)),
    ("{ embedding = { num_embeddings = 4, embedding_dim = 2, padding_idx = -1 } }", [6], lambda: nn.Embedding(4, 2, padding_idx=-1)),
    ("{ embedding = { size = 3, dim = 2, padding_idx = 0, scale_grad_by_freq = true } }", [2, 3], lambda: nn.Embedding(3, 2, padding_idx=0, scale_grad_by_freq=True)),
    ("{ lstm = { hidden = 3 } }", [4, 2], lambda: First(nn.LSTM(2, 3, batch_first=True))),
    ("{ lstm = { input_size = 2, hidden_size = 2, num_layers = 2, bidirectional = true } }", [3, 2], lambda: First(nn.LSTM(2, 2, num_layers=2, bidirectional=True, batch_first=True))),
    ("{ lstm = { in = 3, hidden = 2, num_layers = 2, bias = false, dropout = 0.0, batch_first = true } }", [2, 3], lambda: First(nn.LSTM(3, 2, num_layers=2, bias=False, batch_first=True))),
    ("{ gru = { hidden = 3 } }", [4, 2], lambda: First(nn.GRU(2, 3, batch_first=True))),
    ("{ gru = { input_size = 2, hidden_size = 2, num_layers = 2, bidirectional = true } }", [3, 2], lambda: First(nn.GRU(2, 2, num_layers=2, bidirectional=True, batch_first=True))),
    ("{ gru = { hidden = 2, num_layers = 3, bias = false } }", [2, 3], lambda: First(nn.GRU(3, 2, num_layers=3, bias=False, batch_first=True))),
    ("{ multihead_attention = { heads = 2 } }", [3, 4], lambda: attention(4, 2)),
    ("{ multihead_attention = { embed_dim = 3, num_heads = 1, bias = false } }", [4, 3], lambda: attention(3, 1, bias=False)),
    ("{ multihead_attention = { heads = 3, causal = true, dropout = 0.0 } }", [4, 6], lambda: First(nn.MultiheadAttention(6, 3, batch_first=True), attend=True, causal=True)),
    ("{ transformer_encoder_layer = { heads = 2, hidden = 5, dropout = 0.0 } }", [3, 4], lambda: encoder(4, 2, 5)),
    ('{ transformer_encoder_layer = { d_model = 4, nhead = 4, dim_feedforward = 3, p = 0.0, activation = "gelu", norm_first = true, layer_norm_eps = 0.01 } }', [2, 4],
     lambda: encoder(4, 4, 3, activation="gelu", norm_first=True, layer_norm_eps=0.01)),
    ("{ transformer_encoder_layer = { heads = 1, hidden = 4, dropout = 0.0, bias = false, causal = true } }", [4, 2], lambda: Causal(encoder(2, 1, 4, bias=False))),
    ('"relu"', [5], nn.ReLU),
    ('"leaky_relu"', [5], nn.LeakyReLU),
    ("{ leaky_relu = { negative_slope = 0.2 } }", [2, 3], lambda: nn.LeakyReLU(0.2)),
    ("{ leaky_relu = { slope = -0.5 } }", [3], lambda: nn.LeakyReLU(-0.5)),
    ('"elu"', [5], nn.ELU),
    ("{ elu = { alpha = 0.3 } }", [2, 3], lambda: nn.ELU(0.3)),
    ("{ elu = { alpha = 2 } }", [3], lambda: nn.ELU(2.0)),
    ('"gelu"', [5], nn.GELU),
    ('{ gelu = { approximate = "tanh" } }', [2, 3], lambda: nn.GELU("tanh")),
    ('"silu"', [5], nn.SiLU),
    ('"tanh"', [2, 3], nn.Tanh),
    ('"sigmoid"', [5], nn.Sigmoid),
    ('"softmax"', [5], lambda: nn.Softmax(-1)),
    ("{ softmax = { dim = 1 } }", [2, 3], lambda: nn.Softmax(1)),
    ("{ log_softmax = { dim = -2 } }", [2, 3], lambda: nn.LogSoftmax(-2)),
    ("{ dropout = { p = 0.0 } }", [5], lambda: nn.Dropout(0.0)),
    ("{ max_pool2d = { kernel = 2 } }", [1, 4, 5], lambda: nn.MaxPool2d(2)),
    ("{ max_pool2d = { kernel_size = [3, 2], stride = [2, 1], padding = [1, 0], dilation = [1, 2] } }", [2, 4, 5], lambda: nn.MaxPool2d((3, 2), (2, 1), (1, 0), (1, 2))),
    ("{ max_pool2d = { kernel = 2, ceil_mode = true } }", [1, 3, 5], lambda: nn.MaxPool2d(2, ceil_mode=True)),
    ("{ avg_pool2d = { kernel = 2 } }", [1, 4, 5], lambda: nn.AvgPool2d(2)),
    ("{ avg_pool2d = { kernel_size = [3, 2], stride = [2, 1], padding = 1, ceil_mode = true, count_include_pad = false } }", [2, 4, 3],
     lambda: nn.AvgPool2d((3, 2), (2, 1), 1, ceil_mode=True, count_include_pad=False)),
    ("{ avg_pool2d = { kernel = 2, padding = 1, divisor_override = 3 } }", [1, 3, 3], lambda: nn.AvgPool2d(2, padding=1, divisor_override=3)),
    ("{ adaptive_avg_pool2d = { size = 1 } }", [2, 3, 2], lambda: nn.AdaptiveAvgPool2d(1)),
    ("{ adaptive_avg_pool2d = { output_size = [2, 3] } }", [1, 3, 5], lambda: nn.AdaptiveAvgPool2d((2, 3))),
    ('"flatten"', [2, 3, 2], nn.Flatten),
    ("{ flatten = { start_dim = 2, end_dim = -1 } }", [2, 3, 2], lambda: nn.Flatten(2, -1)),
    ("{ reshape = { shape = [3, -1] } }", [2, 3, 2], lambda: nn.Unflatten(1, (2,)) and Shape(lambda x: x.reshape(len(x), 3, -1))),
    ("{ reshape = { shape = [1, 2, 2] } }", [4], lambda: nn.Unflatten(1, (1, 2, 2))),
    ('"last_step"', [3, 2], lambda: Shape(lambda x: x[:, -1])),
    ('{ residual = { layers = [{ linear = { out = 3 }, name = "a" }, "relu", { linear = { out = 4 }, name = "b" }] } }', [4],
     lambda: Residual(a=nn.Linear(4, 3), r=nn.ReLU(), b=nn.Linear(3, 4))),
    ('{ residual = { layers = [{ conv2d = { out = 2, kernel = 3, padding = 1 } }, "batch_norm2d"] } }', [2, 3, 3],
     lambda: Residual(**{"0": nn.Conv2d(2, 2, 3, padding=1), "1": nn.BatchNorm2d(2)})),
    ('{ residual = { layers = [{ residual = { layers = [{ linear = { out = 2 } }] }, name = "inner" }] } }', [2],
     lambda: Residual(inner=Residual(**{"0": nn.Linear(2, 2)}))),
]


def bare(name):
    return name.removeprefix("inner.") if WRAPPED else name


WRAPPED = False
cases, tensors = [], {}
for index, (layer, shape, make) in enumerate(CASES):
    kind = layer.strip('"{ ').split()[0]
    name, seed = f"{index:02}-{kind}", 100 + index
    torch.manual_seed(seed)
    module = make()
    WRAPPED = isinstance(module, (First, Causal))
    for parameter, value in module.named_parameters():
        tensors[f"{name}/drawn/{bare(parameter)}"] = value.detach().clone()
    with torch.no_grad():
        # Ones, zeros and equal statistics would hide mistakes.
        for parameter, value in module.named_parameters():
            value.add_(0.1 * torch.randn_like(value))
        for buffer, value in module.named_buffers():
            if value.is_floating_point():
                value.add_(torch.rand_like(value))
    for entry, value in module.state_dict().items():
        tensors[f"{name}/state/{bare(entry)}"] = value.detach().clone()
    if kind == "embedding":
        size = module.num_embeddings
        x = torch.randint(0, size, [3, *shape])
    else:
        x = torch.randn([3, *shape])
        # Away from kinks and ties nothing, on them something: some zeros for activations.
        if kind in ("elu", "leaky_relu", "relu"):
            x.view(-1)[0] = 0.0
            x.view(-1)[1] = 800.0
        x.requires_grad_()
    tensors[f"{name}/x"] = x.detach().clone()
    # Eval first: train mode moves the running statistics.
    for mode in ("eval", "train"):
        module.train(mode == "train")
        module.zero_grad()
        x.grad = None
        output = module(x)
        total = (torch.arange(output.numel(), dtype=torch.float64).cos() * output.reshape(-1)).sum()
        if total.requires_grad:
            total.backward()
        tensors[f"{name}/{mode}"] = output.detach().clone()
        if x.grad is not None:
            tensors[f"{name}/{mode}/grad/x"] = x.grad.clone()
        for parameter, value in module.named_parameters():
            tensors[f"{name}/{mode}/grad/{bare(parameter)}"] = value.grad.clone()
    cases.append({"name": name, "layer": layer, "shape": shape, "seed": seed})

# `init`: PyTorch's module, and then torch.nn.init on its weights.
INITS = [
    ('"kaiming_normal"', nn.init.kaiming_normal_),
    ('"kaiming_uniform"', nn.init.kaiming_uniform_),
    ('"xavier_normal"', nn.init.xavier_normal_),
    ('"xavier_uniform"', nn.init.xavier_uniform_),
    ('"orthogonal"', nn.init.orthogonal_),
    ('"zeros"', nn.init.zeros_),
    ("{ constant = 0.5 }", lambda w: nn.init.constant_(w, 0.5)),
    ("{ normal = { mean = 1.0, std = 0.25 } }", lambda w: nn.init.normal_(w, 1.0, 0.25)),
    ("{ uniform = { low = -0.5, high = 2.0 } }", lambda w: nn.init.uniform_(w, -0.5, 2.0)),
]
# Large enough for their distribution to be seen, and kept as quantiles only.
SHAPES = [
    ("linear = { out = 24 }", [40], lambda: nn.Linear(40, 24)),
    ("linear = { out = 40 }", [24], lambda: nn.Linear(24, 40)),
    ("conv2d = { out = 12, kernel = 3, groups = 2 }", [8, 4, 4], lambda: nn.Conv2d(8, 12, 3, groups=2)),
]
inits = []
for init, function in INITS:
    for layer, shape, make in SHAPES:
        sample = []
        for seed in (7, 8, 9):
            torch.manual_seed(seed)
            module = make()
            function(module.weight)
            if seed == 7:
                first = module.weight.detach().reshape(-1)[:12].clone()
                bias = module.bias.detach()[:4].clone()
            sample.append(module.weight.detach().reshape(-1))
        sample = torch.cat(sample).sort().values
        name = f"init-{len(inits):02}"
        quantiles = sample[(torch.arange(200) + 0.5).mul(len(sample) / 200).long()].clone()
        tensors[f"{name}/first"], tensors[f"{name}/bias"], tensors[f"{name}/quantiles"] = first, bias, quantiles
        inits.append({"name": name, "layer": f"{{ {layer}, init = {init} }}", "shape": shape, "seed": 7, "size": len(sample)})

save_file({name: value.contiguous() for name, value in tensors.items()}, HERE / "layers.safetensors")
text = json.dumps({"torch": torch.__version__.split("+")[0], "cases": cases, "inits": inits}, indent=1)
(HERE / "layers.json").write_text(text + "\n")
print(len(cases), "cases,", len(inits), "inits,", len(tensors), "tensors")
