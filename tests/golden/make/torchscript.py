"""Small files of PyTorch's own that the tests of loading read: a scripted model, the same traced in evaluation mode, the same
frozen, and its state dict by `torch.save`.

Run in the repository, with torch installed: python tests/golden/make/torchscript.py
Writes small.pt, traced_eval.pt, frozen.pt, state_dict.pt and ordered_dict.pt into tests/golden/.
"""

import pathlib

import torch
from torch import nn


class Small(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(2, 3)
        self.bn = nn.BatchNorm1d(3)

    def forward(self, x):
        return self.bn(torch.relu(self.hidden(x)))


def main():
    folder = pathlib.Path(__file__).resolve().parents[1]
    torch.manual_seed(7)
    model = Small()
    with torch.no_grad():
        model.hidden.bias.copy_(torch.tensor([1.0, 2.0, 3.0]))
        model.bn.running_mean.fill_(0.5)
    model.bn.bias.requires_grad_(False)
    torch.save(dict(model.state_dict()), folder / "state_dict.pt")
    # With the version numbers that `state_dict` hides in it, which libtorch does not read.
    torch.save(model.state_dict(), folder / "ordered_dict.pt")
    torch.jit.script(model).save(str(folder / "small.pt"))
    model.eval()
    torch.jit.trace(model, torch.zeros(4, 2)).save(str(folder / "traced_eval.pt"))
    torch.jit.freeze(torch.jit.script(model)).save(str(folder / "frozen.pt"))


if __name__ == "__main__":
    main()
