"""Cases for all of the doctor's rules, by style."""

from __future__ import annotations

from tests.unit.authoring.doctor_cases_general import GENERAL
from tests.unit.authoring.doctor_cases_libraries import CURATOR_CASES, INFOSYS_CASES, NOS_CASES
from tests.unit.authoring.doctor_cases_servers import KSERVE_CASES, MLSERVER_CASES

STYLED = {
    "kserve": KSERVE_CASES,
    "mlserver": MLSERVER_CASES,
    "nos": NOS_CASES,
    "nemo_curator": CURATOR_CASES,
    "infosys": INFOSYS_CASES,
}
CASES = [*GENERAL, *(case for cases in STYLED.values() for case in cases)]
