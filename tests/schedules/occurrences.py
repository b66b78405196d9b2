"""When a time of day is, by Python's zoneinfo: `zone first-day days time...` -> a line `day time instant` for each, in order.

The first minute at which clocks in the zone show that time on that day; where none does, the first minute at which they show a later one.
"""

import sys
from datetime import date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

zone = ZoneInfo(sys.argv[1])
first = date.fromisoformat(sys.argv[2])


def instant_of(wanted: datetime) -> datetime:
    start = wanted.replace(tzinfo=zone).astimezone(timezone.utc) - timedelta(hours=4)
    minutes = [start + timedelta(minutes=at) for at in range(8 * 60)]
    shown = [(minute, minute.astimezone(zone).replace(tzinfo=None)) for minute in minutes]
    exact = [minute for minute, local in shown if local == wanted]
    return exact[0] if exact else next(minute for minute, local in shown if local > wanted)


for at in range(int(sys.argv[3])):
    day = first + timedelta(days=at)
    for text in sys.argv[4:]:
        instant = instant_of(datetime.fromisoformat(f"{day}T{text}"))
        print(day, text, instant.strftime("%Y-%m-%dT%H:%M:%S.000Z"))
