"""The AsyncClient of the official package `ollama` as a command.

Prints each update of a pull as a line of JSON. The model is the last argument.
"""

import asyncio
import os
import sys

from ollama import AsyncClient


async def pull(model: str) -> None:
    client = AsyncClient(host=os.environ["OLLAMA_HOST"])
    async for progress in await client.pull(model, stream=True):
        print(progress.model_dump_json(exclude_none=True), flush=True)


if __name__ == "__main__":
    try:
        asyncio.run(pull(sys.argv[-1]))
    except KeyboardInterrupt:
        sys.exit(130)  # `asyncio.run` has cancelled the pull
    except Exception as error:
        sys.exit(f"{type(error).__name__}: {error}")
