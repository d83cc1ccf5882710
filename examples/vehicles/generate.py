#!/usr/bin/env python3
"""Writes the files that the vehicles' gateway writes: vehicles_events_YYYYMMDDHHMMSS.json and
vehicles_status_….json, a document each, written aside and renamed when whole.

usage: generate.py FOLDER [--files N] [--first-file N] [--records N] [--seed N] [--every SECONDS]

Deterministic: the same seed and number give the same file. With --every it waits between two pairs, as the
gateway does every half second.
"""
import argparse
import datetime
import json
import pathlib
import random
import time

EVENTS = ["engine_on", "engine_off", "door_open", "door_closed", "speeding", "low_battery"]
STATES = ["moving", "parked", "charging", "out_of_order"]


def stamp(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}"


def write(folder, kind, moment, records):
    name = f"{kind}_{moment:%Y%m%d%H%M%S}.json"
    aside = folder / f".{name}"
    aside.write_text(json.dumps({kind: records}), encoding="utf-8")
    aside.rename(folder / name)


def event(rng, moment):
    # One in fifty comes hours late: it changes the summary of an earlier day.
    late = datetime.timedelta(hours=rng.randrange(1, 30) if rng.randrange(50) == 0 else 0)
    kind = rng.choice(EVENTS)
    return {
        "vehicle_id": f"v{rng.randrange(500):04d}",
        "event_time": stamp(moment - late - datetime.timedelta(milliseconds=rng.randrange(30_000))),
        "event_source": rng.choice(["gps", "can", "app"]),
        "event_type": kind,
        "event_value": str(rng.randrange(60, 190)) if kind == "speeding" else None,
        "event_extra_data": {"note": "checked", "boot": rng.randrange(9)} if rng.randrange(4) == 0 else None,
    }


def status(rng, moment):
    return {"vehicle_id": f"v{rng.randrange(500):04d}", "report_time": stamp(moment),
            "status_source": rng.choice(["gps", "app"]), "status": rng.choice(STATES)}


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("folder", type=pathlib.Path)
    arguments.add_argument("--files", type=int, default=20, help="pairs of files")
    arguments.add_argument("--first-file", type=int, default=1, help="its number")
    arguments.add_argument("--records", type=int, default=100, help="in a file")
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--every", type=float, default=0, help="seconds between two pairs")
    given = arguments.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    for number in range(given.first_file, given.first_file + given.files):
        rng = random.Random(f"{given.seed} {number}")
        moment = datetime.datetime(2024, 5, 1, 22, 0, 0) + datetime.timedelta(minutes=7 * number)
        write(given.folder, "vehicles_events", moment, [event(rng, moment) for _ in range(given.records)])
        write(given.folder, "vehicles_status", moment, [status(rng, moment) for _ in range(given.records)])
        time.sleep(given.every)


if __name__ == "__main__":
    main()
