"""The intervals of time that partitions contain, in UTC."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

Width = Literal["day", "week", "month", "year"]

_SUFFIX = {"day": "p%Y%m%d", "week": "p%Y%m%d", "month": "p%Y%m", "year": "p%Y"}
_DIGITS = {"day": 8, "week": 8, "month": 6, "year": 4}


@dataclass(frozen=True, slots=True, order=True)
class Interval:
    """A half-open interval: `lower` is part of it, `upper` is not."""

    lower: datetime
    upper: datetime

    def overlaps(self, lower: datetime | None, upper: datetime | None) -> bool:
        """True if the interval has a time in common with another one; None is unbounded."""
        return (upper is None or self.lower < upper) and (lower is None or lower < self.upper)

    def without(self, lower: datetime | None, upper: datetime | None) -> tuple[Interval, ...]:
        """Return the parts of the interval before and after another one."""
        if not self.overlaps(lower, upper):
            return (self,)
        before = (Interval(self.lower, lower),) if lower and self.lower < lower else ()
        after = (Interval(upper, self.upper),) if upper and upper < self.upper else ()
        return (*before, *after)


def interval_at(width: Width, moment: datetime, offset: int = 0) -> Interval:
    """Return the interval that contains a time, or the one `offset` intervals later."""
    day = moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if width in ("day", "week"):
        step = timedelta(days=1 if width == "day" else 7)
        first = day - timedelta(days=day.weekday() if width == "week" else 0) + offset * step
        return Interval(first, first + step)
    months = 1 if width == "month" else 12
    number = (day.year * 12 + day.month - 1) // months * months + offset * months
    return Interval(_month(number), _month(number + months))


def intervals(width: Width, first: datetime, last: datetime) -> tuple[Interval, ...]:
    """Return the intervals from the one that contains `first` to the one that contains `last`."""
    current, result = interval_at(width, first), []
    while current.lower <= last:
        result.append(current)
        current = interval_at(width, current.upper)
    return tuple(result)


def suffix(width: Width, interval: Interval) -> str:
    """Return the end of a partition's name: `p202611` for a month, `p20261130` for a day or a week."""
    return interval.lower.strftime(_SUFFIX[width])


def interval_of(width: Width, ending: str) -> Interval | None:
    """Return the interval of the end of a partition's name; None if it is of another form."""
    if not re.fullmatch(rf"p[0-9]{{{_DIGITS[width]}}}", ending):
        return None
    try:
        lower = datetime.strptime(ending, _SUFFIX[width]).replace(tzinfo=UTC)
    except ValueError:
        return None
    interval = interval_at(width, lower)
    return interval if interval.lower == lower else None


def _month(number: int) -> datetime:
    return datetime(number // 12, number % 12 + 1, 1, tzinfo=UTC)
