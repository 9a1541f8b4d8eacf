import { pull } from "@ollama-pull/kit";
import { toResponse } from "@ollama-pull/kit/relay";

/**
 * Pulls a model from the server in `OLLAMA_HOST`, and streams the progress to whoever asked for it, with the
 * end and its reason: `fromResponse` reads it. Who leaves ends the pull.
 */
export default {
  fetch(request: Request, env: { OLLAMA_HOST: string }): Response {
    const model = new URL(request.url).searchParams.get("model");
    if (!model) return new Response("Which model? Add ?model=llama3.2", { status: 400 });
    return toResponse(pull(model, { host: env.OLLAMA_HOST, signal: request.signal }));
  },
};
