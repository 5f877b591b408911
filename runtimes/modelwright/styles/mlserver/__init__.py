"""MLServer: `MLModel` classes, their `model-settings.json` and `settings.json`."""
