/**
 * Serves the page, and the relay that its pulls go through: in Deno with `deno serve --allow-all serve.ts`,
 * in Bun with `bun serve.ts`, in Node with `npx srvx serve.ts`.
 *
 * @module
 */

import { createRelay, type RelayOptions } from "@ollama-pull/kit/relay";
import { readFile } from "node:fs/promises";
import process from "node:process";

/** What anybody who reaches this server may pull onto its disk. For more, ask for a login in `allow`. */
const MODELS = ["llama3.2:latest", "qwen3:latest"];

/** The files of the page, by their paths. */
const FILES: Readonly<Record<string, [file: string, type: string]>> = {
  "/": ["index.html", "text/html"],
  "/bundle.js": ["bundle.js", "text/javascript"],
};

/** Makes the handler of requests. */
export function createSite(
  options: Partial<RelayOptions> = {},
): (request: Request) => Promise<Response> {
  const relay = createRelay({
    basePath: "/api",
    allow: (_, { model }) => MODELS.includes(String(model)),
    retries: 5,
    ...options,
  });
  return async (request) => {
    const { pathname } = new URL(request.url);
    const file = FILES[pathname];
    if (!file) return await relay(request);
    const [name, type] = file;
    return new Response(await readFile(new URL(name, import.meta.url), "utf8"), {
      headers: { "Content-Type": `${type}; charset=utf-8` },
    });
  };
}

export default { fetch: createSite({ host: process.env.OLLAMA_HOST }) };
