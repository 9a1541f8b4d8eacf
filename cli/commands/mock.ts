/**
 * `mock`: the mock server on a port, which logs each request in one line.
 *
 *     flags ── readSetup ──▶ MockSetup ── runMock (mock_run.ts) ──▶ exit code
 *
 * @module
 */

import { readFile } from "node:fs/promises";
import type {
  Clock,
  DialectName,
  FaultKindInfo,
  MockModel,
  MockSetup,
  Recording,
} from "../../mock/mod.ts";
import { DEFAULT_PORT } from "../../src/host.ts";
import { isSameModel } from "../../src/model_name.ts";
import { messageOf, quote } from "../../src/text.ts";
import { type AddCommand, requireModelName, UsageError } from "../command.ts";
import { examples } from "../examples.ts";
import { printable } from "../printable.ts";
import { parseCount, parseFactor, parseRate, parseSize } from "../quantities.ts";
import { describeError, type MockModule, type MockTask, runMock } from "./mock_run.ts";

interface MockFlags {
  readonly port: string;
  readonly host: string;
  readonly model?: readonly string[];
  readonly installed?: readonly string[];
  readonly anyModel?: boolean;
  readonly dialect?: string;
  readonly rate?: string;
  readonly fault?: readonly string[];
  readonly replay?: readonly string[];
  readonly replaySpeed?: string;
  readonly fallback?: string;
  readonly seed?: string;
  readonly origin?: readonly string[];
  readonly clock?: string;
  readonly config?: string;
  readonly control?: true;
  readonly json?: true;
  readonly listFaults?: true;
}

/**
 * Reads a model such as `dummy`, `my/name:tag=40GB`, or a preset such as `llama3.2`. An unknown name without
 * a size means a small model.
 *
 * @param text The name, and the size if it has one.
 * @param option The option it was given for.
 * @param known The names that the mock knows: presets, and models in its registry.
 * @return What the mock accepts.
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

/** Reads the set-up of a mock from a file, if given, and applies the flags to it. */
async function readSetup(flags: MockFlags, mock: MockModule): Promise<MockSetup> {
  const { forwardTo, parseFault, presets } = mock;
  const setup = flags.config === undefined ? {} : await readConfig(flags.config, mock);
  const known = Object.keys(presets);
  const models = flags.model?.map((text) => parseModel(text, "--model", known)) ?? setup.models;
  const offered = [...models ?? []].map((each) => typeof each === "string" ? each : each.name);
  const installed = flags.installed?.map((text) =>
    parseModel(text, "--installed", [...offered, ...known])
  );
  const { anyModel, dialect, rate, seed, origin, clock, fallback, fault } = flags;
  const { replay, replaySpeed } = flags;
  return {
    ...setup,
    models,
    ...(installed && { installed }),
    ...(anyModel && { anyModel }),
    ...(dialect !== undefined && { dialect: dialect as DialectName }),
    ...(rate !== undefined && { bytesPerSecond: parseRate(rate, "--rate") }),
    ...(seed !== undefined && { seed: parseCount(seed, "--seed", Number.MAX_SAFE_INTEGER) }),
    ...(origin && { origins: origin }),
    ...(clock !== undefined && { clock: await clockNamed(clock) }),
    ...(fallback !== undefined && { fallback: forwardTo(fallback) }),
    ...(replay && {
      recordings: await Promise.all(replay.map((file) => readRecording(file, mock))),
    }),
    ...(replaySpeed !== undefined && {
      replaySpeed: parseFactor(replaySpeed, "--replay-speed"),
    }),
    ...(fault && { faults: fault.map(parseFault) }),
  };
}

/** Reads a file with a set-up, in the format of the control interface. */
async function readConfig(file: string, mock: MockModule): Promise<MockSetup> {
  const { parseSetup } = await import("../../mock/control/setup.ts");
  return await readWith(parseSetup, file, "--config", mock);
}

async function readRecording(file: string, mock: MockModule): Promise<Recording> {
  return await readWith(mock.parseRecording, file, "--replay", mock);
}

/** Reads a file given for an option. Errors start with the file's name. */
async function readWith<Value>(
  parse: (text: string) => Value,
  file: string,
  option: string,
  { ConfigurationError }: MockModule,
): Promise<Value> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    throw new UsageError(`${option} ${printable(file)}: ${messageOf(error)}`);
  }
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    throw new UsageError(`${option} ${printable(file)}: ${describeError(error)}`);
  }
}

async function clockNamed(name: string): Promise<Clock> {
  const { clockModes, clockOf } = await import("../../mock/clock/modes.ts");
  const mode = clockModes.find((each) => each === name);
  if (mode) return clockOf(mode);
  throw new UsageError(
    `--clock: Cannot use ${quote(name)}: it must be one of ${clockModes.join(", ")}`,
  );
}

/** The kinds of faults, one per line, with parameters and their defaults. */
function listFaults({ faultKinds }: MockModule): string {
  const kinds = Object.entries<FaultKindInfo>(faultKinds);
  const width = Math.max(...kinds.map(([kind]) => kind.length));
  const lines = kinds.map(([kind, { does, parameters }]) => {
    const pairs = Object.entries(parameters).map(([name, value]) => `${name}=${value}`);
    const given = pairs.length > 0 ? ` (${pairs.join(", ")})` : "";
    return `${kind.padEnd(width)}  ${does}${given}\n`;
  });
  return `${lines.join("")}
A fault is written as KIND, KIND@POINT or KIND@POINT,NAME=VALUE, such as cut@50%,times=1. A point is a
share such as 50%, a number of bytes, line:N, byte:N, layer:N or layer:N:50%. All take model, times,
and after (how many pulls go by first); http-error and slow-first-byte take the path of another
endpoint, such as path=/api/tags.
`;
}

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

const EXAMPLES = examples({
  "mock --model llama3.2 --rate 1GB/s": "serve one model, quickly",
  "mock --fault stall@50%,times=1": "have the first pull stand still half-way",
  "mock --port 0 --clock virtual --json": "serve a test program: at a free port, without waiting",
});

/** Adds `mock` to the program. */
export const addMockCommand: AddCommand = (program, context, onExit) => {
  program
    .command("mock")
    .description("run a mock Ollama server, for tests")
    .option("--port <number>", "the port to listen on, or 0 for a free one", DEFAULT_PORT)
    .option(
      "--host <address>",
      "the address to listen on; other machines can connect unless it is a loopback address",
      "127.0.0.1",
    )
    .option(
      "--model <name[=size]>",
      "a model in the registry: a preset, or any name, such as dummy or x:7b=40GB; may be repeated " +
        "(default: all presets)",
      collect,
    )
    .option(
      "--installed <name[=size]>",
      "a model that is installed from the start; may be repeated",
      collect,
    )
    .option("--any-model", "also have a small model of every other name")
    .option(
      "--dialect <name>",
      "how pulls are reported: spec, v0.1.0, v0.1, v0.5, v0.33, client2 or tensor (default: spec)",
    )
    .option(
      "--rate <speed>",
      "the bandwidth that all downloads share, such as 80MB/s, 2MiB/s or unlimited " +
        "(default: 100MB/s)",
    )
    .option(
      "--fault <fault>",
      "a fault to inject, such as stall@50%; may be repeated",
      collect,
    )
    .option(
      "--replay <file>",
      "answer pulls from a recording made by `pull --record`; may be repeated",
      collect,
    )
    .option(
      "--replay-speed <factor>",
      "how fast to replay, as a multiple of the recorded speed, such as 10 or unlimited (default: 1)",
    )
    .option("--list-faults", "list the kinds of faults, and exit")
    .option(
      "--fallback <url>",
      "a server that gets every request the mock does not serve, such as /api/chat",
    )
    .option("--seed <number>", "the seed of digests and random faults (default: 0)")
    .option(
      "--clock <name>",
      "the clock: real, virtual (waits end at once) or step (moved by --control) " +
        "(default: real)",
    )
    .option(
      "--origin <origin>",
      'an origin whose pages may call it, or "*"; may be repeated',
      collect,
    )
    .option(
      "--config <file>",
      "a JSON file with a set-up, as --control accepts it; other options override it",
    )
    .option(
      "--control",
      "let programs on this machine control it over HTTP, as /__mock/openapi.json describes",
    )
    .option(
      "--json",
      "write the address and (without --control) each request as lines of JSON; exit when standard " +
        "input ends, if it is a pipe, or the program that started it exits",
    )
    .addHelpText("after", EXAMPLES)
    .action(async (flags: MockFlags) => {
      if (flags.listFaults) {
        context.stdout.write(listFaults(await import("../../mock/mod.ts")));
        return;
      }
      const task: MockTask = {
        setUp: (mock) => readSetup(flags, mock),
        address: { port: parseCount(flags.port, "--port", 65_535), hostname: flags.host },
        isControlled: flags.control ?? false,
        isForProgram: flags.json ?? false,
      };
      onExit(await runMock(task, context));
    });
};
