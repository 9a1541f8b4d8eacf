#!/bin/sh
# curl as a client: prints what the server sends, and leaves it at that. The model is the argument.
model=$(printf %s "$1" | sed 's/["\\]/\\&/g') # as JSON has it
exec curl -sS --fail-with-body -N -d "{\"model\":\"$model\"}" "$OLLAMA_HOST/api/pull"
