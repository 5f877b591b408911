"""MLServer's sum model, which writes its answer in Roman numerals too: with a package that the server does not have."""

from typing import List

import numpy as np
import roman_numerals
from mlserver import MLModel
from mlserver.codecs import decode_args


class RomanSum(MLModel):
    async def load(self) -> bool:
        self.ready = True
        return self.ready

    @decode_args
    async def predict(self, numbers: np.ndarray) -> List[str]:
        return [roman_numerals.RomanNumeral(int(numbers.sum())).to_uppercase()]
