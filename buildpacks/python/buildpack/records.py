"""An installed package's RECORD, without what tells one installation from another of the same package.

uv notes the time of a wheel or a folder that it installed from, and whether somebody asked for the package by name:
with either, one tree would make two images, and two models' torch would be two torches.
"""

import csv
import io
from pathlib import Path

MOMENT = "uv_cache.json"
ASKED_FOR = "REQUESTED"


def forget_moments(packages: Path) -> None:
    """Remove the times from every package in a folder that has them."""
    for noted in packages.glob(f"*.dist-info/{MOMENT}"):
        forget(noted.parent)


def forget(information: Path) -> None:
    """Remove both notes from one package's dist-info, and write its RECORD in one order."""
    record = information / "RECORD"
    gone = {f"{information.name}/{name}" for name in (MOMENT, ASKED_FOR)}
    rows = sorted(row for row in csv.reader(io.StringIO(record.read_text(encoding="utf-8"))) if row[0] not in gone)
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    # Never written in place: the file may be linked with the cache's.
    record.unlink()
    record.write_text(text.getvalue(), encoding="utf-8")
    for name in (MOMENT, ASKED_FOR):
        (information / name).unlink(missing_ok=True)
