"""Makes sequences.safetensors: python make.py, with numpy, torch and safetensors.

1024 sequences of up to 8 tokens out of 20. The label is whether any of the first tokens (those under the mask) is 16 or
above; what stands behind them is as random as they are, and says nothing.
"""

import numpy as np
import torch
from safetensors.torch import save_file

random = np.random.default_rng(0)
length = random.integers(2, 7, size=1024)
mask = np.arange(8)[None, :] < length[:, None]
tokens = random.integers(0, 20, size=(1024, 8))
# Half of the sequences have none: the classes are balanced.
plain = random.permutation(1024)[:512]
tokens[plain] = np.where(mask[plain] & (tokens[plain] >= 16), tokens[plain] - 16, tokens[plain])
label = ((tokens >= 16) & mask).any(axis=1)
save_file(
    {
        "tokens": torch.tensor(tokens),
        "mask": torch.tensor(mask.astype(np.float32)),
        "label": torch.tensor(label.astype(np.int64)),
    },
    "sequences.safetensors",
)
