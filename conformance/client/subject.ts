/**
 * Clients under test: functions, or commands in any language.
 *
 * @module
 */

import { builtinModule } from "../../mock/runtime/builtin.ts";
import type { SubjectInfo } from "../report.ts";
import { CannotRun } from "../rule.ts";

/** A pull that a client under test is to make. */
export interface ClientRun {
  /** The address of the server. */
  readonly host: string;
  /** Makes requests without a port. Clients that cannot be given one use the address. */
  readonly fetch: (input: Request | string | URL, init?: RequestInit) => Promise<Response>;
  /** The model to pull. */
  readonly model: string;
  /** Aborts when the pull is to be cancelled. */
  readonly signal: AbortSignal;
  /** To be called with each update that the client gives its user. */
  readonly onUpdate: (update: unknown) => void;
}

/** A client under test. */
export interface ClientSubject extends SubjectInfo {
  /**
   * What its updates are: the `statuses` that the server sent, under their own names, or `progress`
   * over all layers, with `completed` and `total` in bytes, or `fraction`, or all of these. A client
   * that gives no updates reports the `outcome` alone.
   */
  readonly reports: "statuses" | "progress" | "outcome";
  /** Whether it wants a server on the network, or takes the `fetch` that it is given. */
  readonly transport: "network" | "in-process";
  /**
   * After how long a silent server makes it fail, in milliseconds, if it has such a limit. A second or
   * more is best: a busy machine is silent for a while, too.
   */
  readonly timeLimitMs?: number | undefined;
  /** The most inputs to try for a rule, where each one costs much. `runs` goes before it. */
  readonly maxRuns?: number | undefined;
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
  /** After how long a silent server makes it fail, in milliseconds. */
  timeLimitMs?: number | undefined;
  /** More environment variables. */
  env?: Readonly<Record<string, string>> | undefined;
  /**
   * The most inputs to try for a rule, each of which starts the command once or twice. `runs` goes
   * before it.
   *
   * @default {10}
   */
  maxRuns?: number | undefined;
}

const DEFAULT_COMMAND_RUNS = 10;

/** How long a command may take to end once it was interrupted. */
const KILL_AFTER_MS = 5_000;

/**
 * A command as a client under test. It gets the address of the server in `OLLAMA_HOST` and the model as
 * its last argument, prints each update as one line of JSON on standard output, and exits with 0 on
 * success, or another code and the reason on standard error. SIGINT cancels the pull; it goes to the
 * command and all that it has started.
 *
 * @param command The program and its arguments.
 * @param options How it is called in reports, and what it does.
 * @return A client whose `pull` fails with {@link CannotRun} if the program is not there.
 */
export function commandClient(
  command: readonly string[],
  options: CommandClientOptions = {},
): ClientSubject {
  const [program, ...args] = command;
  if (program === undefined) throw new CannotRun("There is no command to run");
  const { name = command.join(" "), reports = "statuses", version, timeLimitMs, env = {} } =
    options;
  const { maxRuns = DEFAULT_COMMAND_RUNS } = options;
  return {
    name,
    maxRuns,
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
  if (!spawn || !process) throw new CannotRun("Only Deno, Bun and Node can run commands");
  const child = spawn(program, [...args, model], {
    env: { ...process.env, ...env, OLLAMA_HOST: host },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true, // as the first of a group, to which signals can be sent
  });
  const send = (name: "SIGINT" | "SIGKILL") => {
    try {
      process.kill(-child.pid!, name);
    } catch {
      child.kill(name); // where there are no groups, or nobody is left in it
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
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once(
      "error",
      (error) => reject(new CannotRun(`Cannot run ${program}: ${error.message}`)),
    );
    child.once("close", resolve);
  }).finally(() => {
    clearTimeout(killer);
    signal.removeEventListener("abort", interrupt);
  });

  report(unfinished);
  if (code !== 0) throw new Error(stderr.trim() || `exit code ${code}`);
}

/** What stands for a line that a command should not have printed. */
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

/** Why a rule about updates says nothing about a client, if it does not. */
export function unlessUpdating({ reports }: ClientSubject): string | undefined {
  return reports === "outcome" ? "The client gives no updates" : undefined;
}

/** Why a rule that wants progress over all layers says nothing about a client, if it does not. */
export function unlessAggregating({ reports }: ClientSubject): string | undefined {
  return reports === "progress" ? undefined : "The client does not add up its layers";
}
