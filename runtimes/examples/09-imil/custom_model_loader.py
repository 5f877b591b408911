"""Two loaders for the Infosys Model Inference Library: one with a driver of its own, one that inherits it."""

import base64
import io
import os

from milapi.utils import get_datetime_utc, get_mtp
from modelloader.base_model_loader import BaseModelLoader

HERE = os.path.dirname(os.path.abspath(__file__))


def weights_file(config, model_name):
    """The section's model_path, in /mnt/models where a storageUri put it, in this folder otherwise."""
    name = config[model_name]["model_path"][0]
    mounted = os.path.join("/mnt/models", name)
    return mounted if os.path.exists(mounted) else os.path.join(HERE, name)


def opened(base64_image):
    from PIL import Image

    return Image.open(io.BytesIO(base64.b64decode(base64_image))).convert("RGB")


class CustomClipModelLoader(BaseModelLoader):
    """Which of the prompts fits the image best: an image encoder and a text encoder into one space."""

    def __init__(self, config, model_name):
        super().__init__(config, model_name)
        from encoders import TwoEncoders

        self.model = TwoEncoders(weights_file(config, model_name))

    def predict(self, base64_image, prompt, confidence_threshold=0.5):
        labels = prompt[0]
        scores = self.model.similarities(opened(base64_image), labels)
        found = [(float(score), label) for score, label in zip(scores, labels) if score >= confidence_threshold]
        return [
            {"Cs": round(score, 4), "Lb": label, "Dm": {}, "Kp": {}, "Info": "", "Nobj": "", "Uid": ""}
            for score, label in found
        ]

    def predict_request(self, req_data):
        start = get_datetime_utc()
        found = self.predict(req_data["Base_64"], req_data["Prompt"], req_data["C_threshold"])
        mtp = get_mtp(req_data["Mtp"], start, get_datetime_utc(), req_data["Model"])
        kept = ("Tid", "Did", "Fid", "Ts", "Ts_ntp", "Msg_ver", "Inf_ver", "Ad", "Lfp", "Ffp", "Ltsize")
        answer = {key: req_data[key] for key in kept}
        return {**answer, "Fs": found, "Mtp": mtp, "Obase_64": [], "Img_url": [], "Rc": "200", "Rm": "Success"}


class CustomDetectoModelLoader(BaseModelLoader):
    """Where objects are: only the constructor is its own, `predict` and `predict_request` are the base class's."""

    def __init__(self, config, model_name):
        super().__init__(config, model_name)
        from detector import Detector

        self.model_obj = Detector(weights_file(config, model_name), opened)
