"""The pull of the package `propagul`, which its agents make, as a command.

Prints each event of a pull as a line of JSON, and takes the one that the agent takes for a failure for a
failure. The model is the last argument.
"""

import json
import os
import sys

from propagul.mesh.backends.ollama import execute_pull_streaming


def pull(model: str) -> None:
    for event in execute_pull_streaming(model=model, base_url=os.environ["OLLAMA_HOST"]):
        if event.get("status") == "error":
            sys.exit(event.get("error"))
        print(json.dumps(event), flush=True)


if __name__ == "__main__":
    try:
        pull(sys.argv[-1])
    except KeyboardInterrupt:
        sys.exit(130)  # the connection was closed as the exception left the generator
