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
  MockModel,
  MockServerOptions,
} from "../../mock/mod.ts";
import {
  type AddCommand,
  type CommandContext,
  EXIT,
  Interruption,
  requireModelName,
  UsageError,
} from "../command.ts";
import { isSameModel } from "../../mod.ts";
import { DEFAULT_PORT } from "../../src/host.ts";
import { messageOf } from "../../src/text.ts";
import { formatBytes, printable } from "../format.ts";
import { parseCount, parseRate, parseSize } from "../quantities.ts";

interface MockFlags {
  readonly port: string;
  readonly host: string;
  readonly model?: readonly string[];
  readonly installed?: readonly string[];
  readonly anyModel?: boolean;
  readonly dialect: string;
  readonly rate: string;
  readonly fault?: readonly string[];
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

/**
 * Reads a model such as `dummy`, `my/name:tag=40GB`, or a preset such as `llama3.2`. A name by itself that
 * the mock does not know is that of a small model.
 *
 * @param text The name, and the size if it has one.
 * @param option The option that it was given for.
 * @param known The names that the mock knows: those of presets, and of models that it offers.
 * @return What the mock takes.
 * @throws {UsageError} If the name or the size cannot be used.
 */
export function parseModel(
  text: string,
  option: string,
  known: readonly string[],
): MockModel | string {
  const [name = "", ...sizes] = text.split("=");
  requireModelName(name);
  if (sizes.length > 0) return { name, size: parseSize(sizes.join("="), option) };
  return known.find((each) => isSameModel(each, name)) ?? { name };
}

/** Serves the mock until the command is interrupted. */
async function serve(
  options: MockServerOptions,
  { model, installed, fault }: MockFlags,
  address: { port: number; hostname: string },
  { stdout, stderr, signal }: CommandContext,
): Promise<number> {
  // Loaded only here, so that `pull` starts faster.
  const { ConfigurationError, createMockServer, parseFault, presets } = await import(
    "../../mock/mod.ts"
  );
  const known = Object.keys(presets);
  const models = model?.map((text) => parseModel(text, "--model", known));
  const offered = (models ?? []).map((each) => typeof each === "string" ? each : each.name);
  const there = installed?.map((text) => parseModel(text, "--installed", [...offered, ...known]));
  let listener: Listener;
  try {
    const faults: Fault[] | undefined = fault?.map(parseFault);
    const server = createMockServer({
      ...options,
      models,
      installed: there,
      faults,
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
      "--model <name[=size]>",
      "a model to offer: a preset, or any name, such as dummy or x:7b=40GB; may be repeated " +
        "(default: all presets)",
      collect,
    )
    .option(
      "--installed <name[=size]>",
      "a model that is installed from the start; may be repeated",
      collect,
    )
    .option("--any-model", "offer a small model of any other name, too")
    .option(
      "--dialect <name>",
      "how pulls are reported: spec, v0.1.0, v0.1, v0.5, v0.33, client2 or tensor",
      "spec",
    )
    .option(
      "--rate <speed>",
      "the bandwidth that all downloads share, such as 80MB/s, 2MiB/s or unlimited",
      "100MB/s",
    )
    .option(
      "--fault <fault>",
      "a fault to inject, such as stall@50%; may be repeated",
      collect,
    )
    .option("--seed <number>", "the seed of digests and random faults", "0")
    .action(async (flags: MockFlags) => {
      const options: MockServerOptions = {
        anyModel: flags.anyModel,
        dialect: flags.dialect as DialectName,
        bytesPerSecond: parseRate(flags.rate, "--rate"),
        seed: parseCount(flags.seed, "--seed", Number.MAX_SAFE_INTEGER),
      };
      const port = parseCount(flags.port, "--port", 65_535);
      onExit(await serve(options, flags, { port, hostname: flags.host }, context));
    });
};
