"""An Airflow DAG that runs a pipeline every day: one retry after five minutes, an hour at most.

Put it into the DAGs folder and say which pipeline by Airflow's variables or the environment:
LEAT_PIPELINE (a .sql file), LEAT_STATE (its state directory), LEAT (the binary). A run reads only what is
new, and one that was cut off is gone on with by the next, so nothing has to be undone between tries.
"""
import datetime
import os
import shlex

from airflow import DAG

try:
    from airflow.providers.standard.operators.bash import BashOperator
except ImportError:  # Airflow 2
    from airflow.operators.bash import BashOperator

COMMAND = [os.environ.get("LEAT", "leat"), "run", os.environ.get("LEAT_PIPELINE", "pipeline.sql"),
           "--state", os.environ.get("LEAT_STATE", "/var/lib/leat/airflow"), "--quiet"]

with DAG(
    dag_id="leat",
    schedule="30 4 * * *",
    start_date=datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc),
    catchup=False,          # the next run reads what the missed ones would have
    max_active_runs=1,      # one process at a time works on a state
    dagrun_timeout=datetime.timedelta(minutes=130),
    default_args={
        "retries": 1,
        "retry_delay": datetime.timedelta(minutes=5),
        "execution_timeout": datetime.timedelta(minutes=60),
    },
) as dag:
    BashOperator(task_id="run", bash_command=shlex.join(COMMAND), append_env=True)
