"""How much memory a process has, as Linux tells it."""

from pathlib import Path

_KIBIBYTE = 1024


def footprint(pid: int) -> tuple[int, int] | None:
    """Give a process's resident and proportional set sizes in bytes; None where it has ended or nobody tells."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    except OSError:
        return None
    sizes = dict(line.split(":", 1) for line in text.splitlines()[1:])
    resident, proportional = (int(sizes[name].split()[0]) * _KIBIBYTE for name in ("Rss", "Pss"))
    return resident, proportional
