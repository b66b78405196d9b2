"""When quiet hours end, minute by minute, as Python's zoneinfo has it: `zone from to start minutes` -> one line for each minute."""

import sys
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

name, begin, end, start, minutes = sys.argv[1:6]
zone = ZoneInfo(name)
first = datetime.fromisoformat(start).astimezone(timezone.utc)


def is_quiet(instant: datetime) -> bool:
    time = instant.astimezone(zone).strftime("%H:%M")
    return begin <= time < end if begin < end else begin <= time or time < end


for at in range(int(minutes)):
    instant = first + timedelta(minutes=at)
    until = instant
    while is_quiet(until):
        until += timedelta(minutes=1)
    print("-" if until == instant else until.strftime("%Y-%m-%dT%H:%M:%S.000Z"))
