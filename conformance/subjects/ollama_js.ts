/**
 * The npm `ollama` client, with its own code over real HTTP.
 *
 * @module
 */

import { Ollama } from "ollama/browser";
import type { Subject } from "./subject.ts";

/** The client. */
export const ollamaJs: Subject = {
  side: "client",
  implementation: {
    name: "ollama (npm)",
    reports: "statuses",
    transport: "network",
    async pull({ host, model, signal, onUpdate }) {
      const client = new Ollama({ host });
      const stream = await client.pull({ model, stream: true });
      const stop = () => stream.abort();
      signal.addEventListener("abort", stop, { once: true });
      if (signal.aborted) stop();
      for await (const status of stream) onUpdate(status);
    },
  },
  breaks: {
    "C-FRAME-8": "`parseJSON` catches what it cannot parse, warns on the console and goes on",
  },
};
