"""What the peers share: the job's arguments and the schemas of the files."""
import sys

# usage: python PEER.py JOB INPUT OUTPUT [THREADS]
JOBS = ("ma", "day", "events")
job, source, target = sys.argv[1:4]
threads = int(sys.argv[4]) if len(sys.argv) > 4 else 2
assert job in JOBS, f"JOB is one of {JOBS}"

SCHEMA = {"Amount Requested": "double", "Application Date": "date", "Loan Title": "string",
          "Risk_Score": "double", "Debt-To-Income Ratio": "string", "Zip Code": "string",
          "State": "string", "Employment Length": "string", "Policy Code": "double"}
if job == "events":
    SCHEMA = {"vehicle_id": "string", "event_time": "timestamp", "event_source": "string",
              "event_type": "string", "speed": "double", "lat": "double", "lon": "double",
              "odometer": "long", "ok": "boolean", "note": "string"}
