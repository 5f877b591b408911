"""The whole log of a build, of a rebuild, and of the builds that change one thing."""

from __future__ import annotations

from tests.unit.buildpacks.staged import Folder

PYTHON_VERSION = ["[Python version]", "Using Python PYTHON of the base image: no file asks for another"]
SERVER = ["[Model server]", "Installing modelwright 0.1.0, which answers for kserve unless MODELWRIGHT_KSERVE=genuine"]
PROCESSES = [
    "[Processes]",
    "No Procfile: mlserver style, since model-settings.json",
    "web (default): modelwright serve . --style mlserver",
]
LABELS = [
    "[Labels]",
    "dev.modelwright.model-versions=sum=v3",
    "dev.modelwright.models=sum",
    "dev.modelwright.python=PYTHON",
    "dev.modelwright.server=0.1.0",
    "dev.modelwright.style=mlserver",
    "org.opencontainers.image.title=sum",
    "org.opencontainers.image.version=v3",
]
INSTALLING = [
    "  Using Python PYTHON environment at: LAYERS/venv",
    "  Resolved 2 packages in TIME",
    "  Prepared 2 packages in TIME",
    "  Installed 2 packages in TIME",
    "  Bytecode compiled N files in TIME",
    "   + served==1.0",
]


def test_the_first_build_says_what_it_chose_and_did(mlserver_folder: Folder) -> None:
    phase = mlserver_folder.build()

    assert phase.log == [
        *PYTHON_VERSION,
        "[Dependencies]",
        "Installing from requirements.txt with uv VERSION",
        *INSTALLING,
        "   + small==1.0",
        *SERVER,
        *PROCESSES,
        *LABELS,
    ]
    assert phase.error == ""
    assert phase.status == 0


def test_a_rebuild_says_what_it_reuses_and_installs_nothing(mlserver_folder: Folder) -> None:
    mlserver_folder.build()
    mlserver_folder.write("models.py", "import mlserver\n# changed\n")

    phase = mlserver_folder.rebuild()

    assert phase.log == [
        *PYTHON_VERSION,
        "[Dependencies]",
        "Reusing the dependencies of the previous image: requirements.txt is unchanged",
        "[Model server]",
        "Reusing modelwright 0.1.0 of the previous image",
        *PROCESSES,
        *LABELS,
    ]
    # Without its folder a layer is the previous image's, which is how the lifecycle is told to move nothing.
    assert not (mlserver_folder.layers / "venv").exists()
    assert not (mlserver_folder.layers / "server").exists()


def test_a_change_of_requirements_says_so_and_leaves_the_server(mlserver_folder: Folder) -> None:
    mlserver_folder.build()
    mlserver_folder.write("requirements.txt", "small==2.0\n")

    phase = mlserver_folder.rebuild()

    assert phase.log[2:5] == [
        "[Dependencies]",
        "Installing anew: dependencies changed",
        "Installing from requirements.txt with uv VERSION",
    ]
    assert "   + small==2.0" in phase.log
    assert "Reusing modelwright 0.1.0 of the previous image" in phase.log
    assert not (mlserver_folder.layers / "server").exists()
