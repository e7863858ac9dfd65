"""Makes the data of the documentation's examples: python make.py, with numpy, torch and safetensors."""

import numpy as np
import torch
from safetensors.torch import save_file

random = np.random.default_rng(0)
label = np.arange(120) % 3
corners = np.array([[1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 1, 1]], dtype=float)
points = corners[label] + 0.3 * random.standard_normal((120, 4))
with open("points.csv", "w") as file:
    file.write("x1,x2,x3,x4,label\n")
    for row, k in zip(points, label):
        file.write(",".join(f"{v:.4f}" for v in row) + f",{k}\n")

np.savez("points.npz", points=points.astype(np.float32), label=label.astype(np.int64), order=np.float32(0.0))

length = random.integers(3, 9, size=128)
mask = (np.arange(8)[None, :] < length[:, None]).astype(np.float32)
tokens = random.integers(1, 12, size=(128, 8)) * mask.astype(np.int64)
label = (tokens.max(axis=1) > 9).astype(np.int64)
save_file(
    {
        "tokens": torch.tensor(tokens),
        "mask": torch.tensor(mask),
        "label": torch.tensor(label),
        "length": torch.tensor(length.astype(np.float32) / 8).reshape(-1, 1),
    },
    "sequences.safetensors",
)

torch.manual_seed(0)
body, head = torch.nn.Linear(4, 8), torch.nn.Linear(8, 3)
save_file(
    {
        "body.weight": body.weight.detach(),
        "body.bias": body.bias.detach(),
        "head.weight": head.weight.detach(),
        "head.bias": head.bias.detach(),
        "epoch": torch.tensor([12]),
    },
    "weights.safetensors",
)
