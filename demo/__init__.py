"""From an empty machine to a prediction: what `make demo` does, in steps that the end-to-end tests share."""
