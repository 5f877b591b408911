"""The Infosys Model Inference Library (IMIL): loader classes with `predict_request` as their driver."""
