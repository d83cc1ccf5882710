"""deploy/airflow_leat.py under a real Airflow, where one is installed (it is large, and not pinned)."""
import datetime
import importlib.util

import pytest

pytest.importorskip("airflow")


def test_the_dag(root, monkeypatch):
    monkeypatch.setenv("LEAT", "/usr/local/bin/leat")
    monkeypatch.setenv("LEAT_PIPELINE", "/etc/leat/it's.sql")
    spec = importlib.util.spec_from_file_location("airflow_leat", root / "deploy/airflow_leat.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    task = module.dag.get_task("run")
    assert task.retries == 1 and task.retry_delay == datetime.timedelta(minutes=5)
    assert task.execution_timeout == datetime.timedelta(minutes=60)
    assert task.bash_command.startswith("/usr/local/bin/leat run '/etc/leat/it'\"'\"'s.sql' --state ")
