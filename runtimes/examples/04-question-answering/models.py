import re
from typing import List, Optional, Tuple

import numpy as np
from mlserver import MLModel
from mlserver.codecs import decode_args


def words(text: str) -> set:
    return set(re.findall(r"\w+", text.lower()))


class QuestionAnswering(MLModel):
    async def load(self) -> bool:
        self._ignored = words(self.settings.parameters.extra["ignored"])
        return True

    @decode_args
    async def predict(
        self, questions: List[str], context: List[str], threshold: Optional[np.ndarray] = None
    ) -> Tuple[List[str], np.ndarray]:
        least = 0.0 if threshold is None else float(threshold.ravel()[0])
        found = [self._answer(question, text) for question, text in zip(questions, context)]
        answers = [answer if score >= least else "" for answer, score in found]
        return answers, np.array([[score] for _, score in found], dtype=np.float32)

    def _answer(self, question: str, text: str) -> Tuple[str, float]:
        asked = words(question) - self._ignored
        sentences = re.split(r"(?<=[.!?])\s+", text)
        scores = [len(asked & words(sentence)) / max(len(asked), 1) for sentence in sentences]
        best = int(np.argmax(scores))
        return sentences[best], scores[best]
