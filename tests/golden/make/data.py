"""Data files as numpy, safetensors and Python's gzip write them, with the numbers that they hold as JSON.

    pip install numpy safetensors torch
    python tests/golden/make/data.py
"""

import gzip
import json
import pathlib
import struct

import numpy as np
import torch
from safetensors.torch import save_file

HERE = pathlib.Path(__file__).resolve().parent.parent / "data"
HERE.mkdir(exist_ok=True)
generator = np.random.default_rng(0)

x = generator.standard_normal((12, 2, 3))
label = np.arange(12) % 3
kinds = {
    "f2": x.astype("<f2"), "f4": x.astype("<f4"), "f8": x, "big": x.astype(">f4"), "turned": np.asfortranarray(x),
    "i1": label.astype("i1") - 1, "i2": label.astype("<i2"), "i4": label.astype(">i4"), "i8": label,
    "u1": label.astype("u1"), "u2": label.astype("<u2"), "u4": label.astype("<u4"), "u8": label.astype("<u8"),
    "bool": label == 1,
}
np.savez(HERE / "kinds.npz", x=x.astype("f4"), y=label, **kinds)
np.savez_compressed(HERE / "packed.npz", x=x.astype("f4"), y=label)
np.savez(HERE / "odd.npz", text=np.array(["a"] * 12), objects=np.array([None] * 12), number=np.array(3.0),
         complex=x.astype("c8"), short=x[:5], y=label)

tensors = {name: torch.from_numpy(np.array(x, dtype=kind)) for name, kind in
           [("f2", "f2"), ("f4", "f4"), ("f8", "f8")]}
tensors |= {name: torch.from_numpy(label.astype(name)) for name in ["i1", "i2", "i4", "i8", "u1"]}
tensors |= {"bf": torch.from_numpy(x).to(torch.bfloat16), "bool": torch.from_numpy(label == 1),
            "x": torch.from_numpy(x).float(), "y": torch.from_numpy(label), "mask": torch.from_numpy(x[:, 0] > 0),
            "ids": torch.from_numpy(generator.integers(0, 7, (12, 5))), "box": torch.from_numpy(x[:, 0, :2].copy())}
save_file(tensors, HERE / "kinds.safetensors")
text = generator.integers(0, 5, 41)
save_file({"x": torch.from_numpy(text)}, HERE / "text.safetensors")

images = generator.integers(0, 256, (12, 4, 4)).astype("u1")
idx = struct.pack(">HBBIII", 0, 8, 3, *images.shape) + images.tobytes()
labels = struct.pack(">HBBI", 0, 8, 1, 12) + label.astype("u1").tobytes()
(HERE / "images.idx").write_bytes(idx)
with gzip.GzipFile(HERE / "images.idx.gz", "wb", mtime=0) as file:
    file.write(idx)
(HERE / "labels.idx").write_bytes(labels)
(HERE / "few-labels.idx").write_bytes(struct.pack(">HBBI", 0, 8, 1, 11) + label[:11].astype("u1").tobytes())

json.dump({
    "x": x.ravel().tolist(),
    "f2": x.astype("f2").astype(float).ravel().tolist(),
    "f4": x.astype("f4").astype(float).ravel().tolist(),
    "bf": tensors["bf"].double().flatten().tolist(),
    "label": label.tolist(), "ids": tensors["ids"].flatten().tolist(), "text": text.tolist(),
    "images": images.ravel().tolist(),
}, open(HERE / "values.json", "w"))
