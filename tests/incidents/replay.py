"""The alerts that a limit raises on the readings of a plug, as JSON: a list of [opened, closed] in UTC, closed null where it is not over.

Written from docs/incidents.md, with the standard library alone.
Usage: replay.py FILE DEVICE APPLIANCE LIMITS, with limits as JSON; of the readings those before a local time.
"""

import csv
import gzip
import json
import sys
from datetime import datetime, time, timezone
from zoneinfo import ZoneInfo

path, device, appliance, given = sys.argv[1:]
limits = json.loads(given)
berlin = ZoneInfo("Europe/Berlin")

readings = {}
with gzip.open(path, "rt") as file:
    for row in csv.DictReader(file):
        if row["device_id"] == device and row["appliance"] == appliance and row["ts_local"] < limits["before"]:
            # Of rows of one second the last wins.
            readings[row["ts_local"]] = float(row["power_1s_w"])


def in_hours(local):
    """Whether the rule holds: hours over midnight belong to the weekday on which they began."""
    begin, end = time.fromisoformat(limits["from"]), time.fromisoformat(limits["until"])
    now, weekday = local.time(), local.isoweekday()
    if begin < end:
        return weekday in limits["weekdays"] and begin <= now < end
    if now >= begin:
        return weekday in limits["weekdays"]
    return now < end and (weekday - 2) % 7 + 1 in limits["weekdays"]


alerts = []
high_since = low_since = None
previous = None
for text in sorted(readings):
    local = datetime.fromisoformat(text).replace(tzinfo=berlin)
    at, power = local.timestamp(), readings[text]
    if previous is not None and at - previous > limits["gap"]:
        high_since = low_since = None
    previous = at
    is_open = bool(alerts) and alerts[-1][1] is None
    if not is_open:
        if power >= limits["raise"] and in_hours(local):
            high_since = at if high_since is None else high_since
            if at - high_since >= limits["hold"]:
                alerts.append([at, None])
                high_since = low_since = None
        else:
            high_since = None
    else:
        if power <= limits["clear"]:
            low_since = at if low_since is None else low_since
            if at - low_since >= limits["clearHold"]:
                alerts[-1][1] = at
                high_since = low_since = None
        else:
            low_since = None


def shown(at):
    return None if at is None else datetime.fromtimestamp(at, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")


print(json.dumps([[shown(opened), shown(closed)] for opened, closed in alerts]))
