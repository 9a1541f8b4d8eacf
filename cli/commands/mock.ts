/**
 * `mock`: the mock server on a port, which logs each request in one line.
 *
 *     flags ── readSetup ──▶ MockSetup ── runMock (mock_run.ts) ──▶ exit code
 *
 * @module
 */

import { readFile } from "node:fs/promises";
import type { DialectName, FaultKindInfo, MockModel, Recording } from "../../mock/mod.ts";
import { isSameModel } from "../../mod.ts";
import { DEFAULT_PORT } from "../../src/host.ts";
import { messageOf } from "../../src/text.ts";
import { type AddCommand, requireModelName, UsageError } from "../command.ts";
import { printable } from "../printable.ts";
import { parseCount, parseFactor, parseRate, parseSize } from "../quantities.ts";
import { type MockModule, type MockSetup, type MockTask, runMock } from "./mock_run.ts";

interface MockFlags {
  readonly port: string;
  readonly host: string;
  readonly model?: readonly string[];
  readonly installed?: readonly string[];
  readonly anyModel?: boolean;
  readonly dialect: string;
  readonly rate: string;
  readonly fault?: readonly string[];
  readonly replay?: readonly string[];
  readonly replaySpeed: string;
  readonly fallback?: string;
  readonly seed: string;
  readonly origin?: readonly string[];
  readonly json?: true;
  readonly listFaults?: true;
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

/** Reads the set-up of a mock from the flags, and from the texts of recordings. */
function readSetup(flags: MockFlags, texts: readonly RecordingText[], mock: MockModule): MockSetup {
  const { forwardTo, parseFault, presets } = mock;
  const known = Object.keys(presets);
  const models = flags.model?.map((text) => parseModel(text, "--model", known)) ?? known;
  const offered = models.map((each) => typeof each === "string" ? each : each.name);
  const there = flags.installed?.map((text) =>
    parseModel(text, "--installed", [...offered, ...known])
  );
  return {
    models,
    installed: there,
    anyModel: flags.anyModel,
    dialect: flags.dialect as DialectName,
    bytesPerSecond: parseRate(flags.rate, "--rate"),
    seed: parseCount(flags.seed, "--seed", Number.MAX_SAFE_INTEGER),
    origins: flags.origin,
    ...(flags.fallback !== undefined && { fallback: forwardTo(flags.fallback) }),
    recordings: texts.map((text) => readRecording(text, mock)),
    replaySpeed: parseFactor(flags.replaySpeed, "--replay-speed"),
    ...(flags.fault && { faults: flags.fault.map(parseFault) }),
  };
}

/** The text of a file that is said to be a recording. */
interface RecordingText {
  readonly file: string;
  readonly text: string;
}

async function readRecordingText(file: string): Promise<RecordingText> {
  try {
    return { file, text: await readFile(file, "utf8") };
  } catch (error) {
    throw new UsageError(`--replay: ${printable(messageOf(error))}`);
  }
}

/** Reads a recording. What is wrong with it is said with the name of its file. */
function readRecording(
  { file, text }: RecordingText,
  { parseRecording, ConfigurationError }: MockModule,
): Recording {
  try {
    return parseRecording(text);
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    throw new UsageError(`--replay ${printable(file)}: ${error.message}`);
  }
}

/** The kinds of faults, each in a line, with its parameters and their defaults. */
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
    .option(
      "--replay <file>",
      "play a recording of `pull --record` to pulls of its models; may be repeated",
      collect,
    )
    .option("--replay-speed <factor>", "how many times as fast, such as 10, or unlimited", "1")
    .option("--list-faults", "list the kinds of faults, and end")
    .option(
      "--fallback <url>",
      "a server to which all that the mock does not serve is forwarded, such as /api/chat",
    )
    .option("--seed <number>", "the seed of digests and random faults", "0")
    .option(
      "--origin <origin>",
      'an origin of pages that may call it, or "*"; may be repeated',
      collect,
    )
    .option(
      "--json",
      "write the address and each request as lines of JSON; end when standard input does, if that is a " +
        "pipe, and with the program that started it",
    )
    .action(async (flags: MockFlags) => {
      if (flags.listFaults) {
        context.stdout.write(listFaults(await import("../../mock/mod.ts")));
        return;
      }
      const texts = await Promise.all((flags.replay ?? []).map(readRecordingText));
      const task: MockTask = {
        setUp: (mock) => readSetup(flags, texts, mock),
        address: { port: parseCount(flags.port, "--port", 65_535), hostname: flags.host },
        isForProgram: flags.json ?? false,
      };
      onExit(await runMock(task, context));
    });
};
