"""`modelwright doctor PATH`: what would go wrong in a cluster, told and mended before."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from modelwright.cli.errors import CommandError

if TYPE_CHECKING:
    # argparse gives its sub-parser action no public name.
    from argparse import _SubParsersAction

    from modelwright.authoring.doctor.findings import Finding

_STYLES = ("kserve", "mlserver", "nos", "nemo_curator", "infosys")


def add_parser(verbs: _SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `doctor` to the verbs."""
    parser = verbs.add_parser(
        "doctor",
        help="find what would go wrong in a cluster, without running anything of it",
        epilog="exit status: 0 no errors (warnings there may be); 1 errors are left; 2 it could not be examined",
    )
    parser.add_argument("path", metavar="PATH", help="folder with a model, or one Python file")
    parser.add_argument("--style", choices=_STYLES, help="the style, where the files do not show it")
    parser.add_argument("--fix", action="store_true", help="mend what is mechanical; the diff goes to stderr")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="form of the findings on stdout")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, rest: Sequence[str]) -> int:
    """Examine, and mend if asked to; return 1 while there are errors."""
    if rest:
        raise CommandError(f"doctor has no {rest[0]}: see modelwright doctor --help")
    # What examines is not imported for other verbs.
    from modelwright.authoring.doctor.project import Project  # noqa: PLC0415
    from modelwright.authoring.doctor.rules.table import examine  # noqa: PLC0415
    from modelwright.authoring.errors import Mistake  # noqa: PLC0415

    target = Path(arguments.path)
    try:
        found = examine(Project.read(target, arguments.style))
        if arguments.fix and _mend(found):
            found = examine(Project.read(target, arguments.style))
    except Mistake as error:
        raise CommandError(str(error)) from None
    sys.stdout.write(_as_json(found) if arguments.format == "json" else _as_text(found))
    return 1 if any(each.rule.severity == "error" for each in found) else 0


def _mend(found: Sequence[Finding]) -> bool:
    """Apply the edits file by file, and tell whether any file changed."""
    from modelwright.authoring.doctor import mend  # noqa: PLC0415

    if any(each.rule.code == "syntax" for each in found):
        raise CommandError("--fix changes nothing while a file does not parse: mend what doctor says under 'syntax'")
    edits = [edit for each in found for edit in each.hit.edits]
    changed = False
    for path in sorted({edit.path for edit in edits}):
        before = path.read_bytes()
        after = mend.apply(before, [edit for edit in edits if edit.path == path])
        if not mend.parses(path, after):
            sys.stderr.write(f"modelwright: {path} is left as it is: mended, it would not parse\n")
            continue
        try:
            mend.write(path, after)
        except OSError as error:
            raise CommandError(f"{path} cannot be written: {error.strerror}") from None
        sys.stderr.write(mend.diff(str(path), before, after))
        changed = True
    return changed


def _as_text(found: Sequence[Finding]) -> str:
    lines = []
    for each in found:
        rule, hit = each.rule, each.hit
        lines.append(f"{hit.path}:{hit.line}: {rule.severity.value}: {hit.what} [{rule.code}]\n")
        lines.append(f"    why: {rule.why}\n    remedy: {rule.remedy}{' (--fix does it)' if hit.edits else ''}\n")
    count = {severity: sum(each.rule.severity == severity for each in found) for severity in ("error", "warning")}
    return "".join(lines) + f"{_number(count['error'], 'error')}, {_number(count['warning'], 'warning')}\n"


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _as_json(found: Sequence[Finding]) -> str:
    import json  # noqa: PLC0415 - other verbs do without it

    items = [
        {
            "code": each.rule.code,
            "severity": each.rule.severity.value,
            "file": str(each.hit.path),
            "line": each.hit.line,
            "what": each.hit.what,
            "why": each.rule.why,
            "remedy": each.rule.remedy,
            "fixable": bool(each.hit.edits),
        }
        for each in found
    ]
    return json.dumps({"findings": items}, indent=2) + "\n"
