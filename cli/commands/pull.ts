/**
 * `pull`: pulls models and shows their progress.
 *
 *     flags ── readOptions ──▶ PullTask ── runPulls (pull_run.ts) ──▶ exit code
 *
 * With `--record`, a recorder (`pull_record.ts`) sits between the pulls and the server.
 *
 * @module
 */

import { Option } from "commander";
import type { PullModelOptions } from "../../mod.ts";
import { type AddCommand, type CommandContext, requireModelName, UsageError } from "../command.ts";
import { examples } from "../examples.ts";
import { printable } from "../printable.ts";
import { chooseHost, chooseRegistry, DEFAULT_HOST, showHost } from "../host.ts";
import { quoteArgument } from "../invocation.ts";
import { parseCount, parseDuration, parseSpeed } from "../quantities.ts";
import type { OutputForm } from "../views/progress_view.ts";
import { type PullTask, runPulls } from "./pull_run.ts";
import { survey } from "./pull_survey.ts";
import { RecordingFile, recordPulls } from "./pull_record.ts";

interface PullFlags {
  readonly host?: string;
  readonly insecure?: true;
  readonly header?: readonly string[];
  readonly retries?: string;
  readonly retryFor?: string;
  readonly stallTimeout: string;
  readonly silenceTimeout: string;
  readonly minSpeed?: string;
  readonly registry?: string;
  readonly manifest: boolean;
  readonly json?: true;
  readonly quiet?: true;
  readonly record?: string;
  readonly ifMissing?: true;
  readonly dryRun?: true;
  readonly outdated?: true | undefined;
}

const DEFAULTS = { retryFor: "30m", stallTimeout: "2m", silenceTimeout: "30m" } as const;

/** Reads the options of a pull from the flags. */
function readOptions(flags: PullFlags): PullModelOptions {
  const { insecure = false, retries, minSpeed } = flags;
  // If only a count is given, there is no time limit.
  const { retryFor = retries === undefined ? DEFAULTS.retryFor : "off" } = flags;
  const stallTimeoutMs = parseDuration(flags.stallTimeout, "--stall-timeout", Infinity);
  if (minSpeed !== undefined && stallTimeoutMs === Infinity) {
    throw new UsageError(
      "--min-speed needs a --stall-timeout: the speed is measured over that time",
    );
  }
  return {
    insecure,
    headers: flags.header?.map(parseHeader) ?? [],
    retries: parseCount(retries ?? "0", "--retries", Number.MAX_SAFE_INTEGER),
    retryForMs: parseDuration(retryFor, "--retry-for", 0),
    stallTimeoutMs,
    silenceTimeoutMs: parseDuration(flags.silenceTimeout, "--silence-timeout", Infinity),
    minBytesPerSecond: minSpeed === undefined ? 0 : parseSpeed(minSpeed, "--min-speed"),
  };
}

/** Parses a header such as `Name: value`. Errors do not show the value, which may be secret. */
function parseHeader(text: string): [name: string, value: string] {
  const colon = text.indexOf(":");
  const [name, value] = [text.slice(0, colon).trim(), text.slice(colon + 1).trim()];
  if (colon === -1) {
    throw new UsageError('--header: it needs a colon, as in "Authorization: Bearer KEY"');
  }
  try {
    new Headers([[name, value]]);
  } catch {
    throw new UsageError("--header: HTTP does not allow this name or value");
  }
  return [name, value];
}

/**
 * The shell command that pulls models in the same way again, without secrets, and without `--record`, because
 * the file already exists.
 */
function describeAgain(
  models: readonly string[],
  { host, registry }: { host: URL; registry: URL | undefined },
  flags: PullFlags,
  { invocation, env }: CommandContext,
): string {
  const isDefaultHost = flags.host === undefined && !env.OLLAMA_HOST;
  const given = (option: string, value: string | undefined, usual?: string) =>
    value === undefined || value === usual ? [] : [option, quoteArgument(printable(value))];
  return [
    invocation,
    "pull",
    ...models.map((model) => quoteArgument(printable(model))),
    ...given("--host", isDefaultHost ? undefined : showHost(host)),
    ...(flags.insecure ? ["--insecure"] : []),
    ...(flags.header ?? []).flatMap((header) => given("--header", hideValue(header))),
    ...given("--retries", flags.retries),
    ...given("--retry-for", flags.retryFor),
    ...given("--stall-timeout", flags.stallTimeout, DEFAULTS.stallTimeout),
    ...given("--silence-timeout", flags.silenceTimeout, DEFAULTS.silenceTimeout),
    ...given("--min-speed", flags.minSpeed),
    ...given("--registry", flags.registry === undefined ? undefined : showHost(registry!)),
    ...(flags.manifest ? [] : ["--no-manifest"]),
    ...(flags.ifMissing ? ["--if-missing"] : []),
    ...(flags.outdated ? ["--outdated"] : []),
    ...(flags.dryRun ? ["--dry-run"] : []),
    ...(flags.json ? ["--json"] : []),
    ...(flags.quiet ? ["--quiet"] : []),
  ].join(" ");
}

function hideValue(header: string): string {
  return `${header.slice(0, header.indexOf(":"))}: ***`;
}

function formOf({ json, quiet }: PullFlags): OutputForm {
  if (json) return "json";
  return quiet ? "quiet" : "suitable";
}

const EXAMPLES = examples({
  "pull llama3.2 --if-missing": "pull it, unless the server has some version of it",
  "pull llama3.2 --dry-run": "say how much there is to download, and pull nothing",
  "pull --outdated --dry-run": "list the models that have a newer version, with sizes",
  "pull --outdated": "pull those",
});

const HELP_AFTER = `${EXAMPLES}

Models that were made on the server are left as they are by --outdated, and so are cloud models.
Durations are like 90s, 30m, 2h or off. The server keeps what was downloaded: pull again to resume.
A recording has no headers, passwords or queries, but all that the server sends: look at it before you
publish it.`;

/** Adds `pull` to the program. */
export const addPullCommand: AddCommand = (program, context, onExit) => {
  program
    .command("pull")
    .description("pull models, one after the other, and show their progress")
    .argument("[models...]", "the models' names, such as llama3.2 or llama3.2:1b")
    .addOption(
      new Option("--if-missing", "pull only models that the server does not have").conflicts([
        "outdated",
        "dryRun",
      ]),
    )
    .option(
      "--outdated",
      "pull models that have a newer version; check all models if none is named",
    )
    .addOption(
      new Option(
        "--dry-run",
        "show what is already there and what would be downloaded; pull nothing",
      )
        .conflicts("record"),
    )
    .option("--host <address>", `the address of Ollama (default: $OLLAMA_HOST, or ${DEFAULT_HOST})`)
    .option("--insecure", "let Ollama use a registry without TLS")
    .option(
      "--header <header>",
      'a header to send, such as "Authorization: Bearer KEY"; may be repeated',
      (header: string, headers: readonly string[] = []) => [...headers, header],
    )
    .option("--retries <number>", "how many failures in a row to retry, instead of --retry-for")
    .option(
      "--retry-for <duration>",
      `how long to retry without progress (default: "${DEFAULTS.retryFor}")`,
    )
    .option(
      "--stall-timeout <duration>",
      "retry when a download makes no progress for this long",
      DEFAULTS.stallTimeout,
    )
    .option(
      "--silence-timeout <duration>",
      "retry when nothing at all arrives for this long",
      DEFAULTS.silenceTimeout,
    )
    .option("--min-speed <speed>", "treat a download slower than this, such as 100KB/s, as stalled")
    .option(
      "--registry <url>",
      "the registry to ask for the sizes of all layers (default: $OLLAMA_PULL_REGISTRY, or the model's)",
    )
    .option("--no-manifest", "do not ask the registry: use only the sizes that the server reports")
    .option("--json", "write each change as a line of JSON")
    .addOption(new Option("--quiet", "write nothing but errors").conflicts("json"))
    .option(
      "--record <file>",
      "record everything that arrives in a new file, for `mock --replay` or a bug report",
    )
    .addHelpText("after", HELP_AFTER)
    .action(async (models: readonly string[], flags: PullFlags) => {
      for (const model of models) requireModelName(model);
      const { insecure = false, ifMissing = false, dryRun, outdated } = flags;
      if (models.length === 0 && !outdated) {
        throw new UsageError("Which model? Name one, such as llama3.2, or add --outdated");
      }
      const host = chooseHost(flags.host, context.env);
      if (flags.registry !== undefined && !flags.manifest) {
        throw new UsageError("--registry has no effect with --no-manifest: no registry is asked");
      }
      const registry = flags.manifest
        ? chooseRegistry(flags.registry, context.env, insecure)
        : undefined;
      const manifest = { registry, insecure };
      const task: PullTask = {
        models,
        host,
        form: formOf(flags),
        options: readOptions(flags),
        ...(flags.manifest && { manifest }),
        ifMissing,
        keepsBytes: true,
        // Models found to be outdated are then pulled by name.
        again: (left) =>
          describeAgain(left, { host, registry }, { ...flags, outdated: undefined }, context),
      };
      if (!dryRun && !outdated) return onExit(await run(task, flags, context));
      if (!flags.manifest) {
        const option = outdated ? "--outdated" : "--dry-run";
        throw new UsageError(
          `${option} cannot be used with --no-manifest: it compares with the registry`,
        );
      }
      const again = (left: readonly string[]) =>
        describeAgain(left, { host, registry }, flags, context);
      const found = await survey(
        { ...task, manifest, again, wantsOutdated: outdated === true },
        context,
      );
      if (dryRun || found.isCancelled || found.outdated.length === 0) return onExit(found.exitCode);
      const code = await run({ ...task, models: found.outdated }, flags, context);
      onExit(code || found.exitCode);
    });
};

/** Pulls, with a recording if requested. */
async function run(
  task: PullTask,
  { record }: PullFlags,
  context: CommandContext,
): Promise<number> {
  return record === undefined
    ? await runPulls(task, context)
    : await recordPulls(task, new RecordingFile(record), context);
}
