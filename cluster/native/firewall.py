"""Removal of the packet-filter rules that kube-proxy, the kubelet and the CNI plugins leave behind."""

from __future__ import annotations

import re
import shlex
import subprocess
from itertools import pairwise

from cluster.info import ClusterError

FORWARD = "MODELWRIGHT-FORWARD"
NETWORK = "modelwright"
"""Name of the pods' network, which the CNI plugins write into their rules' comments."""

_KUBERNETES = re.compile(rf"KUBE-|{FORWARD}$")
_HOST_PORTS = ("CNI-HOSTPORT-", "CNI-DN-")

_WAIT = ("-w", "5")


def removal(saved: str) -> str:
    """Return what `iptables-restore --noflush` must read to remove our chains from a dump of `iptables-save`.

    Rules of everybody else, such as those of Docker or of another CNI network, are not touched. Empty when there is
    nothing of ours.
    """
    script: list[str] = []
    for table in saved.split("COMMIT\n"):
        lines = [line for line in table.splitlines() if not line.startswith("#")]
        rules = [line for line in lines if line.startswith("-A ")]
        ours = _ours([line[1:].split()[0] for line in lines if line.startswith(":")], rules)
        if ours:
            # Naming a chain with --noflush empties it, which takes away the jumps between our chains.
            declared = [f":{chain} - [0:0]" for chain in ours]
            jumps = ["-D" + rule[2:] for rule in rules if _chain(rule) not in ours and _targets(rule) & set(ours)]
            script += [lines[0], *declared, *jumps, *(f"-X {chain}" for chain in ours), "COMMIT"]
    return "".join(f"{line}\n" for line in script)


def _ours(chains: list[str], rules: list[str]) -> list[str]:
    named = {target for rule in rules if f'name: \\"{NETWORK}\\"' in rule for target in _targets(rule)}
    host_ports = [chain for chain in chains if chain.startswith(_HOST_PORTS)]
    strangers = [chain for chain in host_ports if chain.startswith("CNI-DN-") and chain not in named]
    if not strangers:
        # The plugin for host ports keeps chains that all networks share; the last one leaves them empty.
        named.update(host_ports)
    return [chain for chain in chains if _KUBERNETES.match(chain) or chain in named]


def _chain(rule: str) -> str:
    return rule.split()[1]


def _targets(rule: str) -> set[str]:
    """Return the chain that the rule jumps to; a comment may read like a jump, so quoting counts."""
    words = shlex.split(rule)
    return {target for flag, target in pairwise(words) if flag in ("-j", "-g")}


def other_node() -> bool:
    """Say whether a kube-proxy has rules here."""
    saved = subprocess.run(["iptables-save", "-t", "nat"], capture_output=True, text=True, check=False)
    return ":KUBE-SERVICES " in saved.stdout


def open_forwarding(link: str) -> None:
    """Let packets from and to the link pass: where Docker set the policy of FORWARD to DROP, pods reach nothing."""
    declared = f"*filter\n:{FORWARD} - [0:0]\n-A {FORWARD} -i {link} -j ACCEPT\n-A {FORWARD} -o {link} -j ACCEPT\n"
    jump = ("FORWARD", "-j", FORWARD)
    known = subprocess.run(["iptables", *_WAIT, "-C", *jump], capture_output=True, check=False).returncode == 0
    rule = "" if known else f"-I {' '.join(jump)}\n"
    _restore("iptables", f"{declared}{rule}COMMIT\n")


def clean() -> None:
    """Remove our chains from the packet filters of both address families."""
    for family in ("iptables", "ip6tables"):
        saved = subprocess.run([f"{family}-save"], capture_output=True, text=True, check=False)
        script = removal(saved.stdout) if saved.returncode == 0 else ""
        if script:
            _restore(family, script)


def _restore(family: str, script: str) -> None:
    result = subprocess.run(
        [f"{family}-restore", "--noflush", *_WAIT], input=script, capture_output=True, text=True, check=False
    )
    if result.returncode:
        raise ClusterError(f"{family}-restore could not change the packet filter: {result.stderr.strip()}")
