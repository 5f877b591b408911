"""The base class of loaders, as the library's documents describe it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from modelwright.styles.infosys.milapi.utils import get_datetime_utc, get_mtp


class BaseModelLoader(ABC):
    """A model: its constructor loads it, `predict_request` answers a request's dictionary with another."""

    @abstractmethod
    def __init__(self, config: dict[str, Any], model_name: str) -> None:
        self.model_obj: Any = None

    def preprocessing(self, image: Any) -> Any:  # noqa: ANN401 - the author's own type
        """Do nothing; nobody but the author's own methods calls it."""
        return None

    def postprocessing(self, data: Any) -> Any:  # noqa: ANN401 - the author's own type
        """Do nothing; nobody but the author's own methods calls it."""
        return None

    def predict(self, Base_64: str, Cs: float) -> Any:  # noqa: ANN401, N803 - the library's names
        """Return what `self.model_obj.executeModel` makes of a base64 image and a confidence threshold.

        Where no model_obj is set it is `self.model`, which the library's document says to set for its second example.

        Raises:
            TypeError: neither has an `executeModel`.

        """
        model: Any = getattr(self, "model_obj", None)
        if model is None:
            model = getattr(self, "model", None)
        if not callable(getattr(model, "executeModel", None)):
            raise TypeError(
                f"{type(self).__name__} inherits predict, which calls self.model_obj.executeModel(base64, threshold): "
                f"set self.model_obj in __init__ to an object with it (it is {type(model).__name__}), or define predict"
            )
        return model.executeModel(Base_64, Cs)

    def predict_request(self, req_data: dict[str, Any]) -> dict[str, Any]:
        """Answer one request; its `Mtp` gets this model's stage, in place.

        Raises:
            KeyError: one of the 16 keys that the library reads is not there.

        """
        begun = get_datetime_utc()
        found = self.predict(req_data["Base_64"], req_data["C_threshold"])
        # Read before the answer is made, so that a request without it fails as the library's does.
        _ = req_data["Per"]
        return {
            "Tid": req_data["Tid"],
            "Did": req_data["Did"],
            "Fid": req_data["Fid"],
            "Fs": found,
            "Mtp": get_mtp(req_data["Mtp"], begun, get_datetime_utc(), req_data["Model"]),
            "Ts": req_data["Ts"],
            "Ts_ntp": req_data["Ts_ntp"],
            "Msg_ver": req_data["Msg_ver"],
            "Inf_ver": req_data["Inf_ver"],
            "Obase_64": [],
            "Img_url": [],
            "Rc": "200",
            "Rm": "Success",
            "Ad": req_data["Ad"],
            "Lfp": req_data["Lfp"],
            "Ffp": req_data["Ffp"],
            "Ltsize": req_data["Ltsize"],
        }
