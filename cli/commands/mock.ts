/**
 * `mock`: the mock server on a port, which logs each request in one line.
 *
 * @module
 */

import type {
  DialectName,
  Fault,
  Listener,
  LoggedRequest,
  MockServerOptions,
} from "../../mock/mod.ts";
import {
  type AddCommand,
  type CommandContext,
  EXIT,
  Interruption,
  UsageError,
} from "../command.ts";
import { DEFAULT_PORT } from "../../src/host.ts";
import { messageOf } from "../../src/text.ts";
import { formatBytes, printable } from "../format.ts";
import { parseCount, parseSpeed } from "../quantities.ts";

interface MockFlags {
  readonly port: string;
  readonly host: string;
  readonly model?: readonly string[];
  readonly dialect: string;
  readonly rate: string;
  readonly fault?: readonly string[];
  readonly fallback?: string;
  readonly seed: string;
}

/** A request in one line: its time, what it asked for, and its outcome. */
export function describeRequest(request: LoggedRequest): string {
  const { method, path, model, status, outcome, faults, bytesSent } = request;
  const time = new Date().toISOString().slice(11, 19);
  const parts = [time, method, printable(path), ...(model ? [printable(model)] : [])];
  const sent = bytesSent > 0 ? [formatBytes(bytesSent)] : [];
  const struck = faults.length > 0 ? [`faults: ${faults.join(", ")}`] : [];
  return [...parts, String(status ?? "-"), outcome, ...sent, ...struck].join("  ");
}

/** Serves the mock until the command is interrupted. */
async function serve(
  options: MockServerOptions,
  { fault: faults, fallback }: Pick<MockFlags, "fault" | "fallback">,
  address: { port: number; hostname: string },
  { stdout, stderr, signal }: CommandContext,
): Promise<number> {
  // Loaded only here, so that `pull` starts faster.
  const { ConfigurationError, createMockServer, forwardTo, parseFault } = await import(
    "../../mock/mod.ts"
  );
  let listener: Listener;
  try {
    const parsed: Fault[] | undefined = faults?.map(parseFault);
    const server = createMockServer({
      ...options,
      ...(parsed && { faults: parsed }),
      ...(fallback !== undefined && { fallback: forwardTo(fallback) }),
      onRequest: (request) => stdout.write(`${describeRequest(request)}\n`),
    });
    listener = await server.listen(address);
  } catch (error) {
    if (error instanceof ConfigurationError) throw new UsageError(error.message);
    stderr.write(`error: ${printable(messageOf(error))}. Try another --port or --host\n`);
    return EXIT.failure;
  }
  stdout.write(`The mock listens on ${listener.url}; Ctrl-C stops it\n`);
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
  await listener.close();
  if (signal.reason instanceof Interruption && signal.reason.exitCode !== EXIT.interrupted) {
    return signal.reason.exitCode;
  }
  // A server runs until it is interrupted, so that counts as success.
  return EXIT.success;
}

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

/** Adds `mock` to the program. */
export const addMockCommand: AddCommand = (program, context, onExit) => {
  program
    .command("mock")
    .description("serve a mock of Ollama, for tests")
    .option("--port <number>", "the port to listen on, or 0 for a free one", DEFAULT_PORT)
    .option(
      "--host <address>",
      "the address to listen on; with another one, other machines can connect",
      "127.0.0.1",
    )
    .option(
      "--model <name>",
      "a model to offer; may be repeated (default: all presets)",
      collect,
    )
    .option(
      "--dialect <name>",
      "how pulls are reported: spec, v0.1.0, v0.1, v0.5, v0.33, client2 or tensor",
      "spec",
    )
    .option("--rate <bytes>", "the bandwidth that all downloads share", "100MB/s")
    .option(
      "--fault <fault>",
      "a fault to inject, such as stall@50%; may be repeated",
      collect,
    )
    .option(
      "--fallback <url>",
      "a server to which all that the mock does not serve is forwarded, such as /api/chat",
    )
    .option("--seed <number>", "the seed of digests and random faults", "0")
    .action(async (flags: MockFlags) => {
      const options: MockServerOptions = {
        ...(flags.model && { models: flags.model }),
        dialect: flags.dialect as DialectName,
        bytesPerSecond: parseSpeed(flags.rate, "--rate"),
        seed: parseCount(flags.seed, "--seed", Number.MAX_SAFE_INTEGER),
      };
      const port = parseCount(flags.port, "--port", 65_535);
      onExit(await serve(options, flags, { port, hostname: flags.host }, context));
    });
};
