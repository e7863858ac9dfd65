# Values of PyTorch's losses in float64, for the reference implementation.
# Run: python tests/golden/make/loss_reference.py > tests/golden/loss_reference.json
import json
import torch
import torch.nn.functional as F

torch.manual_seed(0)
torch.set_default_dtype(torch.float64)
cases = []


def case(kind, output, target, value, **options):
    ids = not target.is_floating_point()
    cases.append(dict(kind=kind, shape=list(output.shape), output=output.flatten().tolist(),
                      target_shape=list(target.shape), ids=target.flatten().tolist() if ids else None,
                      values=None if ids else target.flatten().tolist(), options=options, value=value.item()))


x, y = 3 * torch.randn(6, 4), torch.tensor([0, 3, 2, 2, 1, 0])
w = [0.5, 1.0, 2.0, 3.0]
for options in [{}, dict(reduction="sum"), dict(weight=w), dict(label_smoothing=0.1), dict(ignore_index=2),
                dict(weight=w, label_smoothing=0.2, ignore_index=0), dict(weight=w, label_smoothing=0.2, reduction="sum")]:
    torched = {k: torch.tensor(v) if k == "weight" else v for k, v in options.items()}
    case("cross_entropy", x, y, F.cross_entropy(x, y, **torched), **options)
    if "label_smoothing" not in options:
        lp = F.log_softmax(x, 1)
        case("nll", lp, y, F.nll_loss(lp, y, **torched), **options)
x3, y3 = 3 * torch.randn(3, 4, 5), torch.randint(4, (3, 5))
case("cross_entropy", x3, y3, F.cross_entropy(x3, y3))
case("cross_entropy", x3.transpose(1, 2).contiguous(), y3, F.cross_entropy(x3, y3))
x, y = 2 * torch.randn(7, 2), torch.randn(7, 2)
b = (y > 0).double()
for reduction in ["mean", "sum"]:
    case("bce_with_logits", x, b, F.binary_cross_entropy_with_logits(x, b, reduction=reduction), reduction=reduction)
    case("bce", x.sigmoid(), b, F.binary_cross_entropy(x.sigmoid(), b, reduction=reduction), reduction=reduction)
    case("mse", x, y, F.mse_loss(x, y, reduction=reduction), reduction=reduction)
    case("l1", x, y, F.l1_loss(x, y, reduction=reduction), reduction=reduction)
    case("huber", x, y, F.huber_loss(x, y, reduction=reduction), reduction=reduction)
case("huber", x, y, F.huber_loss(x, y, delta=0.3), delta=0.3)
print(json.dumps(cases))
