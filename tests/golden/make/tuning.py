# Learning rate range tests and short trainings in float64, on the network and the digits of mlp.safetensors (64 rows in one batch).
# Run: python tests/golden/make/tuning.py > tests/golden/tuning.json
import json
from pathlib import Path
import torch
from safetensors.torch import load_file
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
state = load_file(Path(__file__).parent.parent / "mlp.safetensors")
x, y = state["x"].double(), state["y"]
NAMES = ["hidden.weight", "hidden.bias", "head.weight", "head.bias"]


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden, self.head = torch.nn.Linear(64, 32), torch.nn.Linear(32, 10)
        self.load_state_dict({n: state[n].double() for n in NAMES})

    def forward(self, x):
        return self.head(F.relu(self.hidden(x)))


def step(net, opt):
    opt.zero_grad()
    F.cross_entropy(net(x), y).backward()
    opt.step()


def loss(net):
    with torch.no_grad():
        return F.cross_entropy(net(x), y).item()


def sweep(make, low, high, steps):
    net = Net()
    opt = make(net.parameters(), 1.0)
    rates, losses, start = [], [], loss(net)
    for i in range(steps):
        rate = high if i + 1 == steps else low * (high / low) ** (i / (steps - 1))
        for group in opt.param_groups:
            group["lr"] = rate
        step(net, opt)
        rates.append(rate)
        losses.append(loss(net))
    return dict(low=low, high=high, start=start, rates=rates, losses=losses)


def train(make, lr, steps):
    net = Net()
    opt = make(net.parameters(), lr)
    for _ in range(steps):
        step(net, opt)
    return loss(net)


sgd = lambda p, lr: torch.optim.SGD(p, lr=lr)
momentum = lambda p, lr: torch.optim.SGD(p, lr=lr, momentum=0.9)
adam = lambda p, lr: torch.optim.Adam(p, lr=lr)
rmsprop = lambda p, lr: torch.optim.RMSprop(p, lr=lr)
print(json.dumps(dict(
    range=dict(sgd=sweep(sgd, 1e-4, 1.0, 40), adam=sweep(adam, 1e-5, 0.05, 40)),
    trials=dict(steps=20, own=[train(sgd, 0.1 * f, 20) for f in [0.5, 1.0, 2.0]], adam=train(adam, 1e-3, 20),
                momentum=train(momentum, 0.03, 20), rmsprop=train(rmsprop, 1e-3, 20)))))
