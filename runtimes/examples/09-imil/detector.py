"""A detector in the shape that IMIL's loaders expect: `executeModel(base64, threshold)` gives boxes."""

import numpy as np

SIDE, WINDOW = 64, 16


class Detector:
    def __init__(self, file, opened):
        self.opened = opened
        with np.load(file) as weights:
            self.window, self.bias = weights["window"], float(weights["bias"])

    def executeModel(self, base64_image, threshold):
        pixels = np.asarray(self.opened(base64_image).resize((SIDE, SIDE)), dtype=np.float32) / 255
        count = SIDE // WINDOW
        windows = pixels.reshape(count, WINDOW, count, WINDOW, 3).swapaxes(1, 2).reshape(count, count, -1)
        scores = 1 / (1 + np.exp(-(windows @ self.window + self.bias)))
        return [
            {
                "Cs": round(float(scores[row, column]), 4),
                "Lb": "object",
                "Dm": {"X": column / count, "Y": row / count, "H": 1 / count, "W": 1 / count},
                "Nobj": "",
                "Uid": "",
                "Info": "{}",
                "Kp": {},
            }
            for row, column in np.argwhere(scores >= threshold)
        ]
