"""Tests code that pulls models with the official client: `pip install ollama pytest`."""

import ollama
import pytest


def test_a_full_disk_is_reported(mock, control):
    control.post("/faults", json="disk-full@50%,times=1").raise_for_status()
    client = ollama.Client(mock["url"])

    with pytest.raises(ollama.ResponseError, match="no space left on device"):
        list(client.pull("llama3.2", stream=True))
    *_, last = client.pull("llama3.2", stream=True)

    assert last.status == "success"
    log = control.get("/requests", params={"path": "/api/pull"}).json()
    outcomes = [request["outcome"] for request in log["requests"]]
    assert outcomes == ["faulted", "finished"]
