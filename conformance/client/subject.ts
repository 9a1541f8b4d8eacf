/**
 * Clients under test: functions, or commands in any language.
 *
 * @module
 */

import { builtinModule } from "../../mock/runtime/builtin.ts";
import { quote } from "../../src/text.ts";
import type { SubjectInfo } from "../report.ts";
import { CannotRun } from "../rule.ts";

/** A pull that a client under test should make. */
export interface ClientRun {
  /** The address of the server. */
  readonly host: string;
  /** Makes requests without a port. Clients that cannot use it connect to `host`. */
  readonly fetch: (input: Request | string | URL, init?: RequestInit) => Promise<Response>;
  /** The model to pull. */
  readonly model: string;
  /** Aborts when the client should cancel the pull. */
  readonly signal: AbortSignal;
  /** The client calls this with each update that it reports. */
  readonly onUpdate: (update: unknown) => void;
}

/** A client under test. */
export interface ClientSubject extends SubjectInfo {
  /**
   * What its updates are: `statuses` are the server's, under their own field names; `progress` is over all
   * layers, with `completed` and `total` in bytes, or `fraction`, or all of these. A client without updates
   * reports only the `outcome`.
   */
  readonly reports: "statuses" | "progress" | "outcome";
  /** Whether it needs a server on the network, or uses the `fetch` it is given. */
  readonly transport: "network" | "in-process";
  /**
   * The client's time limit, if it has one: after how many milliseconds without anything new it fails. It may
   * have a longer one while layers are verified. Use a second or more, because a busy machine also pauses.
   */
  readonly timeLimitMs?: number | undefined;
  /** The most random inputs per rule, if each is expensive. `runs` overrides it. */
  readonly maxRuns?: number | undefined;
  /** How long a check may take, in milliseconds, if it is slow to start. `checkTimeoutMs` overrides it. */
  readonly checkTimeoutMs?: number | undefined;
  /** Pulls a model: resolves when the pull has succeeded, and rejects when it has failed. */
  readonly pull: (run: ClientRun) => Promise<void>;
}

/** Options of {@link commandClient}. */
export interface CommandClientOptions {
  /** The name in reports. @default the command */
  name?: string | undefined;
  /** The version in reports. */
  version?: string | undefined;
  /** What its updates are. @default {"statuses"} */
  reports?: ClientSubject["reports"] | undefined;
  /** The command's time limit: after how many milliseconds without anything new it fails. */
  timeLimitMs?: number | undefined;
  /** More environment variables. */
  env?: Readonly<Record<string, string>> | undefined;
  /**
   * The most inputs to try per rule besides the fixed ones, which are tried in every run. Each input starts
   * the command once or twice. `runs` overrides it.
   *
   * @default {4}
   */
  maxRuns?: number | undefined;
}

const DEFAULT_COMMAND_RUNS = 4;

/**
 * How long a check may take, in milliseconds: it starts the command a few times, which takes seconds on a
 * busy machine.
 */
const COMMAND_CHECK_TIMEOUT_MS = 60_000;

/** How long an interrupted command may take to end, in milliseconds. */
const KILL_AFTER_MS = 5_000;

/**
 * A command as a client under test. It gets the address of the server in `OLLAMA_HOST` and the model as its
 * last argument. It must print each update as one line of JSON on standard output, and exit with 0 on
 * success, or with another code and the reason on standard error. SIGINT cancels the pull; it is sent to the
 * command and to every process that it started.
 *
 * @param command The program and its arguments.
 * @param options Its name in reports, and what it reports.
 * @return A client whose `pull` rejects with {@link CannotRun} if the program cannot be started.
 * @throws {CannotRun} If the command is empty.
 */
export function commandClient(
  command: readonly string[],
  options: CommandClientOptions = {},
): ClientSubject {
  const [program, ...args] = command;
  if (program === undefined) throw new CannotRun("Cannot run an empty command: give a program");
  const { name = command.join(" "), reports = "statuses", version, timeLimitMs, env = {} } =
    options;
  const { maxRuns = DEFAULT_COMMAND_RUNS } = options;
  return {
    name,
    maxRuns,
    checkTimeoutMs: COMMAND_CHECK_TIMEOUT_MS,
    ...(version !== undefined && { version }),
    ...(timeLimitMs !== undefined && { timeLimitMs }),
    reports,
    transport: "network",
    pull: (run) => runCommand(program, args, env, run),
  };
}

async function runCommand(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  { host, model, signal, onUpdate }: ClientRun,
): Promise<void> {
  const spawn = builtinModule("node:child_process")?.spawn;
  const process = builtinModule("node:process");
  if (!spawn || !process) {
    throw new CannotRun("Cannot run a command in this runtime: use Deno, Bun or Node");
  }
  const child = spawn(program, [...args, model], {
    env: { ...process.env, ...env, OLLAMA_HOST: host },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true, // as the leader of a process group, to which signals can be sent
  });
  const send = (name: "SIGINT" | "SIGKILL") => {
    try {
      process.kill(-child.pid!, name);
    } catch {
      child.kill(name); // if there are no groups, or the group is empty
    }
  };
  let killer: ReturnType<typeof setTimeout> | undefined;
  const interrupt = () => {
    send("SIGINT");
    killer = setTimeout(() => send("SIGKILL"), KILL_AFTER_MS);
  };
  signal.addEventListener("abort", interrupt, { once: true });
  if (signal.aborted) interrupt();

  const report = (line: string) => {
    if (line.trim() !== "") onUpdate(parseUpdate(line));
  };
  let unfinished = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    const lines = (unfinished + text).split("\n");
    unfinished = lines.pop() ?? "";
    lines.forEach(report);
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => stderr += text);
  const ending = await new Promise<string | undefined>((resolve, reject) => {
    child.once("error", (error) => reject(cannotStart(program, error)));
    child.once("close", (code, signal) => resolve(describeEnding(code, signal)));
  }).finally(() => {
    clearTimeout(killer);
    signal.removeEventListener("abort", interrupt);
  });

  report(unfinished);
  if (ending !== undefined) throw new Error(stderr.trim() || ending);
}

function cannotStart(program: string, error: Error & { code?: string }): CannotRun {
  const reason = error.code === "ENOENT" ? "there is no such program" : error.message;
  return new CannotRun(`Cannot run the command ${quote(program)}: ${reason}`);
}

/** How a command failed, or `undefined` if it succeeded. */
function describeEnding(code: number | null, signal: string | null): string | undefined {
  if (code === 0) return undefined;
  return code === null ? `The command was ended by ${signal}` : `The command exited with ${code}`;
}

/** An update that is not JSON, as an object. */
export interface UnreadableUpdate {
  /** The line. */
  readonly notJson: string;
}

function parseUpdate(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return { notJson: line } satisfies UnreadableUpdate;
  }
}

/** Why a rule about updates does not apply to a client, or `undefined` if it applies. */
export function unlessUpdating({ reports }: ClientSubject): string | undefined {
  return reports === "outcome"
    ? "The client reports no updates: if it does, set `--reports statuses` or `progress`"
    : undefined;
}

/** Why a rule about the server's statuses does not apply to a client, or `undefined` if it applies. */
export function unlessForwarding({ reports }: ClientSubject): string | undefined {
  return reports === "statuses"
    ? undefined
    : "The client does not report the server's statuses: if it does, set `--reports statuses`";
}

/** Why a rule about progress over all layers does not apply to a client, or `undefined` if it applies. */
export function unlessAggregating({ reports }: ClientSubject): string | undefined {
  return reports === "progress"
    ? undefined
    : "The client reports no progress over all layers: if it does, set `--reports progress`";
}
