"""Makes photo.jpg, a landscape nobody had to be asked for: `python make_photo.py`. Its statistics are a photograph's (1/f noise)."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

WIDTH, HEIGHT = 640, 480


def fractal(random: np.random.Generator, height: int, width: int, slope: float) -> np.ndarray:
    """Noise whose amplitude falls with frequency as in natural images, scaled to 0..1."""
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(width), np.fft.fftfreq(height)))
    frequency[0, 0] = 1
    spectrum = np.fft.fft2(random.standard_normal((height, width))) / frequency**slope
    noise = np.fft.ifft2(spectrum).real
    return (noise - noise.min()) / np.ptp(noise)


def landscape() -> Image.Image:
    """Sky with clouds, three ridges that fade with distance, a meadow."""
    random = np.random.default_rng(7)
    rows = np.linspace(0, 1, HEIGHT)[:, None, None]
    sky = np.array([70, 120, 190]) * (1 - rows) + np.array([235, 200, 170]) * rows
    clouds = np.clip(fractal(random, HEIGHT, WIDTH, 1.8) * 2 - 1, 0, 1)[..., None]
    picture = sky * (1 - clouds) + np.array([250, 248, 245]) * clouds
    for distance, colour in enumerate(([120, 135, 165], [75, 95, 105], [60, 85, 50])):
        ridge = fractal(random, 1, WIDTH, 1.4)[0] * (0.30 - 0.07 * distance) + 0.40 + 0.16 * distance
        ground = np.arange(HEIGHT)[:, None] > ridge[None, :] * HEIGHT
        shade = 0.6 + 0.8 * fractal(random, HEIGHT, WIDTH, 1.2)[..., None]
        picture = np.where(ground[..., None], np.array(colour) * shade, picture)
    picture = picture + random.normal(0, 3, picture.shape)
    return Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(0.6))


if __name__ == "__main__":
    landscape().save(Path(__file__).with_name("photo.jpg"), quality=85)
