# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy==2.4.6", "scikit-learn==1.8.0"]
# ///
"""Makes weights.npz from Fisher's irises: `uv run train.py`. Not needed to serve, and scikit-learn is not in the image."""

from pathlib import Path

import numpy as np
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

features, labels = load_iris(return_X_y=True)
fitted = LogisticRegression(max_iter=1000).fit(features, labels)
np.savez(
    Path(__file__).with_name("weights.npz"),
    coefficients=fitted.coef_.astype(np.float32),
    intercepts=fitted.intercept_.astype(np.float32),
)
print(f"accuracy on the training set: {fitted.score(features, labels):.3f}")
