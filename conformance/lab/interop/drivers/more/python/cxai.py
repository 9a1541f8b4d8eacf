"""The CXAIOllamaClient of the package `cxai-client` as a command.

Prints each update of a pull as a line of JSON. The model is the last argument.
"""

import json
import os
import sys

from cxai_client import CXAIOllamaClient, PushPullRequest


def pull(model: str) -> None:
    with CXAIOllamaClient(base_url=os.environ["OLLAMA_HOST"]) as client:
        for progress in client.pull_stream(PushPullRequest(name=model)):
            print(json.dumps(vars(progress)), flush=True)


if __name__ == "__main__":
    try:
        pull(sys.argv[-1])
    except KeyboardInterrupt:
        sys.exit(130)  # the connection was closed as the exception left the generator
    except Exception as error:
        # The client keeps the HTTP status out of its message.
        status = getattr(error, "status_code", None)
        sys.exit(f"{type(error).__name__}: {error} (HTTP status {status})")
