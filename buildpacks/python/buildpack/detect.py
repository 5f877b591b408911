"""Detection: anything that looks like Python is ours, so that what is missing gets a message and not a silent skip."""

from .context import Context

MARKERS = (
    "requirements.txt", "pyproject.toml", "uv.lock", "runtime.txt", ".python-version",
    "environment.yaml", "environment.yml", "conda.yaml", "conda.yml",
    "model-settings.json", "serve.yaml", "mil_config.json", "model_download.yaml",
)  # fmt: skip
NOT_OURS = 100


def run(context: Context) -> int:
    """Return 0 when the folder holds a Python application and 100, the Buildpack API's `not mine`, otherwise."""
    if any(context.has(marker) for marker in MARKERS) or any(context.app.glob("*.py")):
        return 0
    return NOT_OURS
