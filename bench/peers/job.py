"""What the peers share: the job's arguments and the schema of the rejected-loans file."""
import sys

# usage: python PEER.py JOB INPUT OUTPUT [THREADS]
JOBS = ("ma", "day")
job, source, target = sys.argv[1:4]
threads = int(sys.argv[4]) if len(sys.argv) > 4 else 2
assert job in JOBS, f"JOB is one of {JOBS}"

SCHEMA = {"Amount Requested": "double", "Application Date": "date", "Loan Title": "string",
          "Risk_Score": "double", "Debt-To-Income Ratio": "string", "Zip Code": "string",
          "State": "string", "Employment Length": "string", "Policy Code": "double"}
