"""The part of `nos` that authors of models import, where the genuine library is not installed.

Sources: https://github.com/autonomi-ai/nos, `nos/common/spec.py` and `nos/managers/model.py`, of both generations (up
to 0.1.2, and from 0.1.3 on).
"""
