/**
 * `demo`: pulls from a mock server in this process, through real HTTP on loopback. It looks as `pull`
 * does, and runs the same code, without Ollama and without a network.
 *
 * @module
 */

import { fetchManifest } from "../../mod.ts";
import type { AddCommand, CommandContext } from "../command.ts";
import { runPulls } from "./pull_run.ts";

/** A model of 8 billion parameters, as in the registry. Its config is the fifth layer. */
const MODEL = {
  name: "llama3",
  layers: [
    { mediaType: "application/vnd.ollama.image.model", size: 4_661_211_424 },
    { mediaType: "application/vnd.ollama.image.license", size: 12_403 },
    { mediaType: "application/vnd.ollama.image.template", size: 254 },
    { mediaType: "application/vnd.ollama.image.params", size: 110 },
  ],
};

/** Pulls the model in about ten seconds. */
const BYTES_PER_SECOND = 480_000_000;

/** A server to pull from. */
export interface DemoServer {
  /** Its address. */
  readonly url: string;
  /** Stops it. */
  close(): Promise<void>;
}

/** Starts the mock, which is loaded only here, so that `pull` starts faster. */
async function startMock(): Promise<DemoServer> {
  const { createMockServer } = await import("../../mock/mod.ts");
  return await createMockServer({ models: [MODEL], bytesPerSecond: BYTES_PER_SECOND })
    .listen({ port: 0 });
}

/** The layers of the model, so that the bar of the whole is right from the start. */
async function readLayers(url: string, { fetch, signal }: CommandContext) {
  const { layers } = await fetchManifest(MODEL.name, { registry: url, fetch, signal });
  return layers;
}

/** Starts a server, pulls from it, and resolves to the exit code. */
export async function runDemo(
  context: CommandContext,
  json: boolean,
  startServer: () => Promise<DemoServer> = startMock,
): Promise<number> {
  const server = await startServer();
  try {
    if (!json) {
      context.stdout.write(`Pulling from a mock server at ${server.url}; nothing is downloaded\n`);
    }
    return await runPulls({
      models: [MODEL.name],
      host: new URL(server.url),
      form: json ? "json" : "suitable",
      options: { layers: readLayers(server.url, context) },
      keepsBytes: false,
      again: () => `${context.invocation} demo`,
    }, context);
  } finally {
    await server.close();
  }
}

/** Adds `demo` to the program. */
export const addDemoCommand: AddCommand = (program, context, onExit) => {
  program
    .command("demo")
    .description("show a pull without Ollama and without a network")
    .option("--json", "write each update as a line of JSON")
    .action(async ({ json = false }: { json?: boolean }) => {
      onExit(await runDemo(context, json));
    });
};
