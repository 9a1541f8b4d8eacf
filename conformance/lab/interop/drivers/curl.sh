#!/bin/sh
# curl as a client: prints what the server sends, and leaves it at that. The model is the argument.
exec curl -sS --fail-with-body -N -d "{\"model\":\"$1\"}" "$OLLAMA_HOST/api/pull"
