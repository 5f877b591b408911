"""A loader whose packages the server's own environment has not."""

import os
import sys
import time
from pathlib import Path

import roman_numerals
from modelloader.base_model_loader import BaseModelLoader


class RomanModelLoader(BaseModelLoader):
    def __init__(self, config, model_name):
        self.model_obj = roman_numerals.RomanNumeral

    def predict_request(self, request):
        word = request["n"]
        if word == "fail":
            raise LookupError("a reason of the author's")
        if word == "wait":
            Path(request.get("began", "")).touch()
            time.sleep(600)
        return {
            "roman": self.model_obj(word).to_uppercase(),
            "pid": os.getpid(),
            "keeper": os.getppid(),
            "prefix": sys.prefix,
            "importable": sorted({"httptools", "orjson"} & set(_importable())),
        }


def _importable():
    from importlib.util import find_spec

    return [name for name in ("httptools", "orjson", "numpy") if find_spec(name)]


class FailingModelLoader(BaseModelLoader):
    def __init__(self, config, model_name):
        raise LookupError("its weights are not there")

    def predict_request(self, request):
        return {}


class DyingModelLoader(FailingModelLoader):
    def __init__(self, config, model_name):
        os.abort()
