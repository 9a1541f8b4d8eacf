"""The Client of the official package `ollama` as a command.

Prints each update of a pull as a line of JSON. The model is the last argument.
"""

import os
import sys

from ollama import Client


def pull(model: str) -> None:
    client = Client(host=os.environ["OLLAMA_HOST"])
    for progress in client.pull(model, stream=True):
        print(progress.model_dump_json(exclude_none=True), flush=True)


if __name__ == "__main__":
    try:
        pull(sys.argv[-1])
    except KeyboardInterrupt:
        sys.exit(130)  # the connection was closed as the exception left the generator
    except Exception as error:
        sys.exit(f"{type(error).__name__}: {error}")
