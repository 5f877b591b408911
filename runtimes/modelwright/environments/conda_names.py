"""What conda calls things that the Python package index has under another name, or not at all."""

from __future__ import annotations

from typing import Final

# fmt: off
# Parts of conda's own interpreter, which another interpreter brings in its own way. Never asked of the index, where
# anybody may have taken such a name.
OF_THE_INTERPRETER: Final = frozenset({
    "pip", "setuptools", "wheel", "ca-certificates", "openssl", "ncurses", "readline", "sqlite", "libsqlite",
    "tk", "xz", "zlib", "libzlib", "bzip2", "libffi", "libuuid", "libnsl", "libxcrypt", "libexpat", "expat",
    "tzdata", "libgcc", "libgcc-ng", "libgomp", "libstdcxx", "libstdcxx-ng", "ld_impl_linux-64",
    "ld_impl_linux-aarch64", "_libgcc_mutex", "_openmp_mutex", "python_abi", "libblas", "libcblas", "liblapack",
    "libopenblas", "blas", "llvm-openmp", "libgfortran", "libgfortran-ng", "libgfortran5", "intel-openmp",
    "libmpdec", "liblzma",
})
# No Python packages, and nothing that a wheel could stand for.
NOT_PYTHON: Final = frozenset({
    "cudatoolkit", "cudnn", "cuda-toolkit", "cuda-nvcc", "nccl", "nodejs", "r-base", "gcc", "gxx", "cmake",
    "make", "git", "openmpi", "mpich", "openjdk", "ffmpeg", "libcuda", "perl", "ruby", "go", "rust",
    "postgresql", "redis-server", "gdal", "hdf5", "mamba", "conda", "micromamba",
})
# fmt: on
NOT_PYTHON_PREFIXES: Final = ("r-", "cuda-", "gcc_", "gxx_", "_")
# The same library under the index's name.
RENAMED: Final = {
    "pytorch": "torch",
    "pytorch-cpu": "torch",
    "py-opencv": "opencv-python-headless",
    "opencv": "opencv-python-headless",
    "matplotlib-base": "matplotlib",
    "dask-core": "dask",
    "msgpack-python": "msgpack",
    "python-graphviz": "graphviz",
    "py-xgboost": "xgboost",
    "python-tzdata": "tzdata",
    "numpy-base": "numpy",
    "ruamel_yaml": "ruamel.yaml",
}
