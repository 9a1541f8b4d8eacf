/**
 * `demo`: pulls from a mock server in this process, over real HTTP on loopback. It looks like `pull` and runs
 * the same code, but needs neither Ollama nor a network.
 *
 * @module
 */

import type { LayerSize } from "../../mod.ts";
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

/** In bytes per second: the pull takes about ten seconds. */
const BYTES_PER_SECOND = 480_000_000;

/** A server to pull from. */
export interface DemoServer {
  /** Its address. */
  readonly url: string;
  /** The layers of the model, so that the total is right from the start. */
  readonly layers: readonly LayerSize[];
  /** Stops it. */
  close(): Promise<void>;
}

/** Starts the mock, which is loaded only here, so that `pull` starts faster. */
async function startMock(): Promise<DemoServer> {
  const { createMockServer } = await import("../../mock/mod.ts");
  const server = createMockServer({ models: [MODEL], bytesPerSecond: BYTES_PER_SECOND });
  const { layers, config } = await server.registry.manifest(MODEL.name);
  const { url, close } = await server.listen({ port: 0 });
  return { url, close, layers: [...layers, config] };
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
      options: { layers: server.layers },
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
