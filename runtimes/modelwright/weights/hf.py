"""hf://owner/model[:revision], by Hugging Face's own client."""

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from huggingface_hub import HfApi, errors, hf_hub_download

from modelwright.weights import verify
from modelwright.weights.errors import WeightsError
from modelwright.weights.partial import Partial
from modelwright.weights.progress import Progress
from modelwright.weights.source import Item

_URI = re.compile(r"hf://([\w.-]+/[\w.-]+)(?::([^:\s]+))?/?")
_WORKERS = 4
_TOKEN = "Put a token with access into the Secret's key HF_TOKEN"  # noqa: S105


class HubSource:
    """One model repository at one revision, pinned to a commit when it is listed."""

    unpacks = False

    def __init__(self, uri: str, env: Mapping[str, str]) -> None:
        self.uri = uri
        found = _URI.fullmatch(uri)
        if found is None:
            raise WeightsError(uri, "is not owner and model", "Write hf://owner/model or hf://owner/model:revision.")
        self._repo, self._revision = found[1], found[2] or "main"
        self._token = env.get("HF_TOKEN") or None
        self._commit = self._revision

    def items(self) -> list[Item]:
        """List the repository's files. Raises `WeightsError`."""
        with self._explained():
            info = HfApi(token=self._token or False).model_info(
                self._repo, revision=self._revision, files_metadata=True
            )
        self._commit = info.sha or self._revision
        items = [
            Item(
                file.rfilename,
                file.rfilename,
                file.size,
                file.blob_id or self._commit,
                sha256=file.lfs.sha256 if file.lfs else None,
            )
            for file in info.siblings or []
        ]
        if not items:
            raise WeightsError(self.uri, "the repository has no file", "Upload the model or correct the name.")
        return items

    def download(self, items: Sequence[Item], partial: Partial, progress: Progress) -> None:
        """Fetch the files; the client itself resumes what it finds in the folder."""

        def one(item: Item) -> None:
            hf_hub_download(
                self._repo,
                verify.relative(item.key),
                revision=self._commit,
                local_dir=partial.files,
                token=self._token or False,
            )

        # The client keeps notes beside the files: more than everything would look wrong.
        most = verify.total(items) or sys.maxsize
        progress.measure = lambda: min(most, _size(partial.root))
        with self._explained(), ThreadPoolExecutor(_WORKERS, thread_name_prefix="fetch") as pool:
            try:
                for done in [pool.submit(one, item) for item in items]:
                    done.result()
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except errors.GatedRepoError as error:
            remedy = f"Accept its terms on the hub. {_TOKEN}."
            raise WeightsError(self.uri, "the repository is gated", remedy) from error
        except errors.RepositoryNotFoundError as error:
            remedy = f"Correct owner and model. {_TOKEN} if it is private."
            raise WeightsError(self.uri, "no such repository, or a private one", remedy) from error
        except errors.RevisionNotFoundError as error:
            raise WeightsError(
                self.uri, f"no revision {self._revision!r}", "Name a branch, tag or commit that it has."
            ) from error
        except errors.HfHubHTTPError as error:
            status = error.response.status_code if error.response is not None else "nothing"
            remedy = f"{_TOKEN}, or try later." if status in {401, 403, 429} else "Try later."
            raise WeightsError(self.uri, f"the hub answers {status}", remedy) from error
        except WeightsError:
            raise
        except Exception as error:
            # Connection errors are those of the client's HTTP library, which differs between its versions.
            raise WeightsError(
                self.uri,
                f"the hub cannot be reached or used ({type(error).__name__}: {error})",
                "Check HF_ENDPOINT, network policies and proxies.",
            ) from error


def _size(folder: Path) -> int:
    """Return the bytes in a folder that others are writing to."""
    size = 0
    for path in folder.rglob("*"):
        try:
            size += path.lstat().st_size if path.is_file() else 0
        except OSError:
            continue
    return size
