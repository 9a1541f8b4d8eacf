/**
 * `demo`: pulls from a mock server in this process, over real HTTP on loopback. It looks like `pull` and runs
 * the same code, but needs neither Ollama nor a network.
 *
 * The mock makes trouble: it breaks the connection, and loses bytes that it has reported. So a person sees
 * what the package is for, in about twelve seconds.
 *
 * @module
 */

import type { LayerSize } from "../../mod.ts";
import type { MockModel, MockSetup } from "../../mock/mod.ts";
import { formatBytes } from "../../src/amounts.ts";
import { type AddCommand, type CommandContext, EXIT } from "../command.ts";
import { examples } from "../examples.ts";
import { runPulls } from "./pull_run.ts";

/** A layer that two models share. */
const PROJECTOR = {
  mediaType: "application/vnd.ollama.image.projector",
  size: 624_434_368,
  content: "projector",
};

/** A model with vision of 7 billion parameters, in sizes as in the registry. Its config is the fifth layer. */
const MODEL: MockModel = {
  name: "llava",
  layers: [
    PROJECTOR,
    { mediaType: "application/vnd.ollama.image.model", size: 4_109_853_248 },
    { mediaType: "application/vnd.ollama.image.license", size: 11_356 },
    { mediaType: "application/vnd.ollama.image.template", size: 67 },
  ],
};

/** A smaller one, which the server has already. */
const INSTALLED: MockModel = { name: "bakllava", layers: [PROJECTOR] };

/** Pulls the model in about twelve seconds, with the retry. */
const BYTES_PER_SECOND = 420_000_000;

/** How much of the download the mock loses when it breaks the connection. */
const LOST_BYTES = 400_000_000;

/** The set-up of the mock. */
export const DEMO_SETUP: MockSetup = {
  models: [MODEL],
  installed: [INSTALLED],
  bytesPerSecond: BYTES_PER_SECOND,
  faults: [
    { kind: "rollback", at: { completed: "50%" }, bytes: LOST_BYTES, times: 1 },
    { kind: "reset", at: { completed: "50%" }, times: 1 },
  ],
};

const RETRY_NOTE = `The mock has lost ${
  formatBytes(LOST_BYTES)
}, too: the bars wait until they are back`;

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
  const server = createMockServer(DEMO_SETUP);
  const { layers, config } = await server.registry.manifest(MODEL.name);
  const { url, close } = await server.listen({ port: 0 });
  return { url, close, layers: [...layers, config] };
}

const opening = (url: string) =>
  `A mock of Ollama listens on ${url}; nothing is downloaded.
Half-way it breaks the connection and loses a part of the download: watch the bars.
`;

const ending = (invocation: string) => `
You have seen a pull that goes on by itself after a broken connection, skips
${formatBytes(PROJECTOR.size)} that were there already, and never moves a bar back.

Next: ${invocation} pull llama3.2 pulls from your own Ollama,
and README.md shows how to do the same in a program.
`;

/** Starts a server, pulls from it, and resolves to the exit code. */
export async function runDemo(
  context: CommandContext,
  json: boolean,
  startServer: () => Promise<DemoServer> = startMock,
): Promise<number> {
  const { stdout, invocation } = context;
  const server = await startServer();
  try {
    if (!json) stdout.write(opening(server.url));
    const exitCode = await runPulls({
      models: [MODEL.name],
      host: new URL(server.url),
      form: json ? "json" : "suitable",
      options: { layers: server.layers, retries: 3 },
      keepsBytes: false,
      retryNote: RETRY_NOTE,
      again: () => `${invocation} demo`,
    }, context);
    if (!json && exitCode === EXIT.success) stdout.write(ending(invocation));
    return exitCode;
  } finally {
    await server.close();
  }
}

const EXAMPLES = examples({
  "demo": "show bars in a terminal, and plain lines elsewhere",
  "demo --json": "write each update as a line of JSON",
  "demo --json > updates.ndjson": "keep the updates in a file",
});

/** Adds `demo` to the program. */
export const addDemoCommand: AddCommand = (program, context, onExit) => {
  program
    .command("demo")
    .description("show a pull that breaks and goes on, without Ollama and without a network")
    .option("--json", "write each update as a line of JSON")
    .addHelpText("after", EXAMPLES)
    .action(async ({ json = false }: { json?: boolean }) => {
      onExit(await runDemo(context, json));
    });
};
