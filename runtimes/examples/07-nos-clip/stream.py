"""Frames of a video through replicas, with the imap of NOS's guide: modelwright run -- python stream.py"""

import numpy as np
from model import spec

from nos.manager import ModelManager

FRAMES, BATCH = 24, 2


def video_reader():
    """Stand in for a video file: batches of frames."""
    random = np.random.default_rng(7)
    for _ in range(FRAMES // BATCH):
        yield list(random.integers(0, 256, (BATCH, 64, 64, 3), np.uint8))


def encode_images_imap(handle, images_generator):
    """Submit each batch, and yield results as the queue fills; then the rest."""
    for images in images_generator:
        handle.encode_image.submit(images=images)
        if handle.results.ready():
            yield handle.results.get_next()
    while not handle.results.ready():
        yield handle.results.get_next()


def main():
    handle = ModelManager().load(spec)
    handle.scale(replicas=2)
    print(handle)
    frames = sum(len(embedding) for embedding in encode_images_imap(handle, video_reader()))
    print(f"{frames} frames encoded")


if __name__ == "__main__":
    main()
