"""What PyTorch itself measures of the perceptron in tests/projects/pytorch, in float64: the loss and the update ratios of
three steps of SGD with momentum on the first 64 digits.

Run in the repository, with torch and numpy installed: python tests/golden/make/pytorch.py
Writes tests/golden/pytorch.json.
"""

import json
import pathlib
import sys

import numpy
import torch

root = pathlib.Path(__file__).resolve().parents[3]
project = root / "tests/projects/pytorch"
sys.path.insert(0, str(project))
import export  # noqa: E402


def main():
    table = numpy.genfromtxt(root / "tests/projects/digits/data/digits.csv", delimiter=",", names=True)
    pixels = [column for column in table.dtype.names if column != "label"]
    x = torch.tensor(numpy.stack([table[c] for c in pixels], 1)[:64] / 16, dtype=torch.float64).reshape(64, 1, 8, 8)
    y = torch.tensor(table["label"][:64], dtype=torch.int64)
    golden = {"torch": torch.__version__}
    for name, model in [("mlp", export.Mlp)]:
        model = model()
        model.load_state_dict(torch.jit.load(project / f"{name}.pt").state_dict())
        model = model.double().train()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
        steps = []
        for _ in range(3):
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(model(x), y)
            loss.backward()
            before = {n: p.detach().clone() for n, p in model.named_parameters()}
            optimizer.step()
            ratio = {
                n: None if before[n].norm() == 0 else float((p.detach() - before[n]).norm() / before[n].norm())
                for n, p in model.named_parameters()
            }
            steps.append({"loss": float(loss), "ratio": ratio})
        golden[name] = steps
    (root / "tests/golden/pytorch.json").write_text(json.dumps(golden, indent=1) + "\n")


if __name__ == "__main__":
    main()
