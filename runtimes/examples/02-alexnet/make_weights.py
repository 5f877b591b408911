"""Writes alexnet.pt, a state_dict of AlexNet with random weights: `python make_weights.py FOLDER`.

The seed is fixed, so the same image gets the same scores from every copy. Trained weights have the same form:
`torch.save(torchvision.models.alexnet(weights="DEFAULT").state_dict(), "alexnet.pt")`.
"""

import sys
from pathlib import Path

import torch
from torchvision import models

if __name__ == "__main__":
    torch.manual_seed(20120930)
    target = Path(sys.argv[1]) / "alexnet.pt"
    torch.save(models.alexnet(weights=None).state_dict(), target)
    print(f"{target}: {target.stat().st_size / 1e6:.0f} MB")
