import { NdjsonEncoderStream, pull } from "@ollama-pull/kit";

/** Pulls a model from the server in `OLLAMA_HOST`, and streams the progress to whoever asked for it. */
export default {
  fetch(request: Request, env: { OLLAMA_HOST: string }): Response {
    const model = new URL(request.url).searchParams.get("model");
    if (!model) return new Response("Which model? Add ?model=llama3.2", { status: 400 });
    const progress = pull(model, { host: env.OLLAMA_HOST, signal: request.signal });
    return new Response(progress.pipeThrough(new NdjsonEncoderStream()), {
      headers: { "Content-Type": "application/x-ndjson" },
    });
  },
};
