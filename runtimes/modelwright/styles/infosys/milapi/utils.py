"""The message travel path (`Mtp`): who had a frame, and when."""

from __future__ import annotations

from datetime import UTC, datetime


def get_datetime_utc() -> str:
    """Return the time as the library writes it, such as `2023-04-22,04:56:28.805 AM`."""
    now = datetime.now(UTC)
    return f"{now:%Y-%m-%d,%I:%M:%S}.{now.microsecond // 1000:03d} {now:%p}"


def get_mtp(mtp: list[dict[str, str]], start_time: str, end_time: str, source: str) -> list[dict[str, str]]:
    """Append one stage to `mtp`, in place, and return it."""
    mtp.append({"Etime": end_time, "Src": source, "Stime": start_time})
    return mtp
