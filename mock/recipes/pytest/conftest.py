"""A mock of Ollama, one for all tests. It is reset before each test."""

import json
from subprocess import PIPE, Popen

import httpx  # comes with ollama
import pytest

COMMAND = "npx --yes @ollama-pull/kit mock --json --control --port 0 --rate unlimited"


@pytest.fixture(scope="session")
def mock():
    """The addresses of the mock, which ends when its standard input closes."""
    with Popen(COMMAND.split(), stdin=PIPE, stdout=PIPE) as process:
        yield json.loads(process.stdout.readline())


@pytest.fixture
def control(mock):
    """A client of the mock's control interface."""
    with httpx.Client(base_url=mock["control"]) as client:
        client.post("/reset").raise_for_status()
        yield client
