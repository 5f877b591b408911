"""Which rules there are: those for every folder, and those of each style."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from modelwright.authoring.doctor.findings import Finding, Rule
from modelwright.authoring.doctor.project import Project
from modelwright.authoring.doctor.rules import (
    code,
    files,
    infosys,
    kserve,
    mlserver,
    mlserver_settings,
    nemo_curator,
    nos,
    packages,
)

GENERAL: Final = (*files.RULES, *packages.RULES, *code.RULES)
STYLES: Final[Mapping[str, tuple[Rule, ...]]] = {
    "kserve": kserve.RULES,
    "mlserver": (*mlserver.RULES, *mlserver_settings.RULES),
    "nos": nos.RULES,
    "nemo_curator": nemo_curator.RULES,
    "infosys": infosys.RULES,
}


def examine(project: Project) -> list[Finding]:
    """Hold a project against the rules of its styles; by file and line, errors before warnings of one line."""
    rules: Iterator[Rule] = (
        rule for group in (GENERAL, *(STYLES[style] for style in sorted(project.styles))) for rule in group
    )
    found = [Finding(rule, hit) for rule in rules for hit in rule.find(project)]
    return sorted(found, key=lambda each: (str(each.hit.path), each.hit.line, each.rule.severity, each.rule.code))
