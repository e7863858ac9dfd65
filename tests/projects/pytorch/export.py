"""Exports two classifiers of the digits, as a user of PyTorch would: as TorchScript, and as state dicts.

Run in this folder, with torch and safetensors installed: python export.py
"""

import torch
from safetensors.torch import save_file
from torch import nn


class Mlp(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(64, 32)
        self.head = nn.Linear(32, 10)

    def forward(self, x):
        return self.head(torch.relu(self.hidden(x.flatten(1))))


class ConvNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, 3, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(8)
        self.conv2 = nn.Conv2d(8, 16, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(16)
        self.pool = nn.MaxPool2d(2)
        self.drop = nn.Dropout(0.25)
        self.head = nn.Linear(256, 10)

    def forward(self, x):
        x = torch.relu(self.norm1(self.conv1(x)))
        x = torch.relu(self.norm2(self.conv2(x)))
        return self.head(self.drop(self.pool(x).flatten(1)))


def main():
    for name, model in [("mlp", Mlp), ("convnet", ConvNet)]:
        torch.manual_seed(7)
        model = model()
        torch.jit.script(model).save(f"{name}.pt")
        save_file(model.state_dict(), f"{name}.safetensors")


if __name__ == "__main__":
    main()
