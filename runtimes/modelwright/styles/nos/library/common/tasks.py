"""`nos.common.tasks`."""

from enum import StrEnum


class TaskType(StrEnum):
    """What a method is for; nothing here depends on it."""

    CUSTOM = "custom"
    OBJECT_DETECTION_2D = "object_detection_2d"
    IMAGE_SEGMENTATION_2D = "image_segmentation_2d"
    DEPTH_ESTIMATION_2D = "depth_estimation_2d"
    IMAGE_CLASSIFICATION = "image_classification"
    IMAGE_GENERATION = "image_generation"
    IMAGE_EMBEDDING = "image_embedding"
    IMAGE_TO_TEXT = "image_to_text"
    TEXT_EMBEDDING = "text_embedding"
    TEXT_GENERATION = "text_generation"
    AUDIO_TRANSCRIPTION = "audio_transcription"
