#!/usr/bin/env python3
"""Writes NDJSON like a fleet's events: ten keys an object, strings with escapes, nulls, missing keys.

usage: gen_events.py OUTPUT [--rows N] [--seed N]; deterministic.
"""
import argparse
import datetime
import json
import random

NOTES = ["checked", "said \"late\"", "C:\\\\fleet", "Größe 3", "", None]
TYPES = ["engine_on", "engine_off", "door_open", "door_closed", "speeding", "low_battery"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("output")
    parser.add_argument("--rows", type=int, default=3_000_000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    rng = random.Random(args.seed)
    start = datetime.datetime(2024, 5, 1)
    notes = [json.dumps(note, ensure_ascii=False) for note in NOTES]
    with open(args.output, "w", encoding="utf-8", buffering=1 << 20) as out:
        for row in range(args.rows):
            at = (start + datetime.timedelta(milliseconds=row * 37)).isoformat(timespec="milliseconds")
            speed = "null" if rng.random() < 0.1 else f"{rng.random() * 180:.3f}"
            note = "" if rng.random() < 0.5 else f', "note": {rng.choice(notes)}'
            out.write(f'{{"vehicle_id": "v{rng.randrange(5000):05d}", "event_time": "{at}", '
                      f'"event_source": "{rng.choice(("gps", "can", "app"))}", '
                      f'"event_type": "{rng.choice(TYPES)}", "speed": {speed}, '
                      f'"lat": {rng.uniform(45, 49):.6f}, "lon": {rng.uniform(9, 17):.6f}, '
                      f'"odometer": {rng.randrange(1_000_000)}, '
                      f'"ok": {"true" if rng.random() < 0.9 else "false"}{note}}}\n')


if __name__ == "__main__":
    main()
