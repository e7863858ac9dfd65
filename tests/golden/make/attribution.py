"""What PyTorch says of saliency, Grad-CAM and the gradients of activations, in float64, on the digits of convnet.safetensors.

Run in the repository, with torch, numpy and safetensors installed: python tests/golden/make/attribution.py
Writes attribution.json and attribution.safetensors (the weights of `shared`) into tests/golden/.

Every network runs twice: with nothing in place, where `retain_grad` keeps the gradients, and with its rectifiers in place,
where hooks do that are registered as soon as a tensor is there. Both must agree, to the last bit.
"""

import json
import pathlib

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file

folder = pathlib.Path(__file__).resolve().parents[1]
torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)
ROWS = 3


class Tape:
    """Outputs of layers by name, and their gradients."""

    def __init__(self, in_place):
        self.in_place, self.values, self.gradients = in_place, {}, {}

    def keep(self, name, tensor):
        self.values[name] = tensor.detach().clone()

        def hook(gradient):
            assert name not in self.gradients
            self.gradients[name] = gradient.clone()

        tensor.register_hook(hook)
        return tensor

    def relu(self, name, tensor):
        return self.keep(name, F.relu_(tensor) if self.in_place else F.relu(tensor))


def mlp(p, x, tape, train):
    h = tape.keep("hidden", F.linear(x, p["hidden.weight"], p["hidden.bias"]))
    return tape.keep("head", F.linear(tape.relu("hidden.relu", h), p["head.weight"], p["head.bias"]))


def norm(p, x, train):
    mean, var = p["bn1.running_mean"].clone(), p["bn1.running_var"].clone()
    return F.batch_norm(x, mean, var, p["bn1.weight"], p["bn1.bias"], train)


def convnet(p, x, tape, train):
    h = tape.keep("conv1", F.conv2d(x, p["conv1.weight"], p["conv1.bias"], padding=1))
    h = tape.relu("bn1.relu", tape.keep("bn1", norm(p, h, train)))
    h = tape.keep("bn1.max_pool2d", F.max_pool2d(h, 2))
    h = tape.keep("conv2", F.conv2d(h, p["conv2.weight"], p["conv2.bias"], padding=1))
    h = tape.relu("conv2.relu", h)
    h = tape.keep("conv2.adaptive_avg_pool2d", F.adaptive_avg_pool2d(h, 1)).flatten(1)
    return tape.keep("head", F.linear(h, p["head.weight"], p["head.bias"]))


def shared(p, x, tape, train):
    """A layer used twice, a residual connection around both uses, rectifiers that may be in place."""

    def conv(x):
        return F.conv2d(x, p["shared.weight"], p["shared.bias"], padding=1)

    h = tape.keep("conv1", F.conv2d(x, p["conv1.weight"], p["conv1.bias"], padding=1))
    h = tape.relu("bn1.relu", tape.keep("bn1", norm(p, h, train)))
    z = tape.keep("shared.tanh", tape.keep("shared", conv(h)).tanh())
    z = tape.keep("shared.add", tape.keep("shared#2", conv(z)) + h)
    z = tape.relu("shared.relu", z)
    z = tape.keep("shared.mean", z.mean((2, 3)))
    return tape.keep("head", F.linear(z, p["head.weight"], p["head.bias"]))


def passed(net, p, x, train, of):
    """Gradients of `of` of the outputs, with respect to every layer's output and to the input."""
    tapes = []
    for in_place in (False, True):
        tape, leaf = Tape(in_place), x.clone().requires_grad_()
        of(net(p, leaf, tape, train)).backward()
        tape.input = leaf.grad
        tapes.append(tape)
    first, second = tapes
    assert list(first.values) == list(second.values) and first.input.equal(second.input)
    for name in first.values:
        assert first.values[name].equal(second.values[name]), name
        assert first.gradients[name].equal(second.gradients[name]), name
    return first


def golden(net, p, x, loss, chosen, shown):
    """`chosen` is what saliency is of, `shown` what Grad-CAM is of, each from the output of a row and the row's number."""
    for name in p:
        p[name].requires_grad_("running" not in name and "num_batches" not in name)
    tape = passed(net, p, x, True, loss)
    gradients = [
        {"layer": name, "norm": float(g.norm()), "mean": float(g.mean()), "std": float(g.std(unbiased=True))}
        for name, g in tape.gradients.items()
    ]
    gradients = {g["layer"]: g for g in gradients}
    result = {"gradients": [gradients[name] for name in tape.values], "saliency": [], "grad_cam": []}
    for row in range(ROWS):
        one = x[row : row + 1]
        tape = passed(net, p, one, False, lambda output: chosen(output[0], row))
        result["saliency"].append(tape.input[0].abs().flatten().tolist())
        tape = passed(net, p, one, False, lambda output: shown(output[0], row))
        maps = {}
        for name, a in tape.values.items():
            if a.dim() > 2:
                axes = tuple(range(2, a.dim()))
                weights = tape.gradients[name].mean(axes, keepdim=True)
                maps[name] = {"shape": list(a.shape[2:]), "values": F.relu((weights * a).sum(1))[0].flatten().tolist()}
        result["grad_cam"].append([{"layer": name, **maps[name]} for name in maps])
    return result


def parameters(name):
    return {n: t.double() if t.is_floating_point() else t for n, t in load_file(folder / f"{name}.safetensors").items() if n not in "xy"}


def main():
    data = load_file(folder / "convnet.safetensors")
    x, y = data["x"].double(), data["y"]
    flat = x.reshape(len(x), -1)
    digits = lambda output: F.cross_entropy(output, y)
    of_class = lambda output, row: output[y[row]]
    largest = lambda output, row: output.max()
    torch.manual_seed(5)
    weights = {
        "conv1.weight": torch.randn(6, 1, 3, 3) / 3,
        "conv1.bias": torch.randn(6) / 3,
        "bn1.weight": torch.rand(6) + 0.5,
        "bn1.bias": torch.randn(6) / 3,
        "bn1.running_mean": torch.randn(6) / 3,
        "bn1.running_var": torch.rand(6) + 0.5,
        "shared.weight": torch.randn(6, 6, 3, 3) / 6,
        "shared.bias": torch.randn(6) / 3,
        "head.weight": torch.randn(10, 6),
        "head.bias": torch.randn(10) / 3,
    }
    save_file(weights, folder / "attribution.safetensors")
    cut = lambda k: {n: t[:k].clone() if n.startswith("head") else t for n, t in parameters("mlp").items()}
    even = (y % 2 == 0).double()[:, None]
    results = {
        "torch": torch.__version__,
        "definitions": {
            "gradients": "L2 norm, mean and std (n - 1) of d(mean loss)/d(output of the layer), one batch of all 64 rows in train mode",
            "saliency": "of rows 0 to 2 in eval mode: |d(logit of the true class)/d(input)|; binary, regression: of the sum of the row's outputs",
            "grad_cam": "ReLU of the sum over channels of (spatial mean of d(largest logit)/d(A_c)) * A_c, not rescaled",
        },
        "mlp": golden(mlp, parameters("mlp"), flat, digits, of_class, largest),
        "convnet": golden(convnet, parameters("convnet"), x, digits, of_class, largest),
        "shared": golden(shared, weights, x, digits, of_class, largest),
        # The perceptron with the first rows of its head: is the digit even?
        "binary": golden(mlp, cut(1), flat, lambda o: F.binary_cross_entropy_with_logits(o, even), *[lambda o, _: o.sum()] * 2),
        # Its outputs held against the three pixels in the middle.
        "regression": golden(mlp, cut(3), flat, lambda o: F.mse_loss(o, flat[:, 27:30]), *[lambda o, _: o.sum()] * 2),
    }
    (folder / "attribution.json").write_text(json.dumps(results) + "\n")


if __name__ == "__main__":
    main()
