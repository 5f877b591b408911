"""What a Curator model touches of torch, over numpy: torch itself is too large for the tests' environment."""

import functools

import numpy as np

from torch import nn as nn

float32 = np.float32
bfloat16 = "torch.bfloat16"


class Tensor:
    """Enough of torch.Tensor: conversion, division, and the way back to numpy."""

    def __init__(self, array):
        self._array = array

    @property
    def dtype(self):
        return f"torch.{self._array.dtype}"

    @property
    def shape(self):
        return self._array.shape

    def to(self, where):
        return Tensor(self._array.astype(where)) if isinstance(where, type) else self

    def __truediv__(self, other):
        return Tensor(self._array / other)

    def detach(self):
        return self

    def cpu(self):
        return self

    def numpy(self):
        return self._array


class cuda:  # noqa: N801 - torch's name
    @staticmethod
    def is_available():
        return False


class no_grad:  # noqa: N801 - torch's name
    def __call__(self, function):
        @functools.wraps(function)
        def without(*arguments, **named):
            return function(*arguments, **named)

        return without


def device(name):
    return name


def from_numpy(array):
    return Tensor(array)
