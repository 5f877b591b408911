"""Three files may ask for a Python; one interpreter answers, or the error names who asked for what."""

import pytest

from buildpacks.python.buildpack import versions
from buildpacks.python.buildpack.errors import BuildpackError

DEBIAN = (3, 11, 2)


def runtime(version: str) -> versions.Request:
    return versions.from_runtime_txt(f"python-{version}\n")


@pytest.mark.parametrize("text", ["python-3.11", "python-3.11\n", "python-3.11.x", "python-3.11.*", "python-3.11.2"])
def test_runtime_txt_accepts_the_forms_in_use(text: str) -> None:
    assert versions.from_runtime_txt(text).accepts(DEBIAN)


@pytest.mark.parametrize("text", ["3.11", "python-3", "python 3.11", "ruby-3.2", ""])
def test_runtime_txt_that_is_no_version_is_refused(text: str) -> None:
    with pytest.raises(BuildpackError, match=r"runtime\.txt.*python-3\.11"):
        versions.from_runtime_txt(text)


def test_python_version_file_may_have_comments() -> None:
    assert versions.from_python_version("# ours\n\n3.11\n").accepts(DEBIAN)


def test_two_lines_in_python_version_are_refused() -> None:
    with pytest.raises(BuildpackError, match="does not name"):
        versions.from_python_version("3.11\n3.12\n")


@pytest.mark.parametrize(
    ("specifier", "accepts"),
    [
        (">=3.11,<3.14", True),
        (">=3.12", False),
        ("~=3.11", True),
        ("~=3.11.1", True),
        ("~=3.11.3", False),
        ("==3.11.*", True),
        ("==3.11", False),
        ("!=3.11.*", False),
        ("!=3.11.1", True),
        ("<3.11.2", False),
        ("<=3.11.2", True),
        (">3", True),
        ("===3.11.2", True),
        ("~=3.10", True),
    ],
)
def test_requires_python_is_read_as_pep_440_reads_it(specifier: str, accepts: bool) -> None:
    assert versions.from_requires_python(specifier).accepts(DEBIAN) is accepts


def test_requires_python_in_no_known_form_is_refused() -> None:
    with pytest.raises(BuildpackError, match="requires-python"):
        versions.from_requires_python("^3.11")


def test_the_newest_interpreter_that_fits_is_chosen() -> None:
    asked = [versions.from_requires_python(">=3.10,<3.13")]

    assert versions.choose(asked, [(3, 10, 9), (3, 12, 1), (3, 13, 0)]) == (3, 12, 1)


def test_with_no_wish_any_interpreter_will_do() -> None:
    assert versions.choose([], [DEBIAN]) == DEBIAN


def test_two_files_that_no_python_could_satisfy_are_both_named() -> None:
    asked = [runtime("3.11"), versions.from_python_version("3.12")]

    with pytest.raises(
        BuildpackError, match=r"runtime\.txt and \.python-version.*runtime\.txt says 3\.11, \.python-version says 3\.12"
    ):
        versions.choose(asked, [DEBIAN])


def test_a_runtime_outside_requires_python_is_a_conflict_too() -> None:
    asked = [runtime("3.9"), versions.from_requires_python(">=3.11")]

    with pytest.raises(BuildpackError, match=r"runtime\.txt and pyproject\.toml's requires-python"):
        versions.choose(asked, [DEBIAN])


@pytest.mark.parametrize("wanted", ["3.14", "3.11.7", "2.7"])
def test_what_the_base_image_lacks_is_refused_with_what_it_has(wanted: str) -> None:
    with pytest.raises(BuildpackError, match=rf"Python {wanted}, asked for by runtime\.txt.*has Python 3\.11\.2"):
        versions.choose([runtime(wanted)], [DEBIAN])
