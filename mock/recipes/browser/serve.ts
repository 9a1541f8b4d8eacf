/**
 * Serves the page, and the relay through which it pulls: in Deno with `deno serve --allow-all serve.ts`, in
 * Bun with `bun serve.ts`, in Node 22.18 and newer with `npx srvx serve.ts`.
 *
 *     /           index.html
 *     /bundle.js  page.js and the package, bundled
 *     /api/…      the relay, which pulls from the Ollama of OLLAMA_HOST
 *
 * @module
 */

import { createRelay, type RelayOptions } from "@ollama-pull/kit/relay";
import { readFile } from "node:fs/promises";
import process from "node:process";

/** The models that anybody may pull who reaches this server. For more, have `allow` ask for a login. */
const MODELS = ["llama3.2:latest", "qwen3:latest"];

/** The files of the page, by their paths. */
const FILES: Readonly<Record<string, [file: string, type: string]>> = {
  "/": ["index.html", "text/html"],
  "/bundle.js": ["bundle.js", "text/javascript"],
};

/** Makes the handler of requests. The options replace those of the relay. */
export function createSite(
  options: Partial<RelayOptions> = {},
): (request: Request) => Promise<Response> {
  const relay = createRelay({
    basePath: "/api",
    allow: (_, { model }) => MODELS.includes(String(model)),
    retries: 5,
    heartbeatMs: 8_000, // Bun ends a connection after 10 s without data
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
