/**
 * `pull`: pulls a model and shows its progress.
 *
 * @module
 */

import { pullModel } from "../../mod.ts";
import {
  type AddCommand,
  type CommandContext,
  EXIT,
  Interruption,
  requireModelName,
} from "../command.ts";
import { describeFailure } from "../failure.ts";
import { printable } from "../format.ts";
import { chooseHost, DEFAULT_HOST, showHost } from "../host.ts";
import { quoteArgument } from "../invocation.ts";
import { createView } from "../views/progress_view.ts";

/** A pull to run and show. */
export interface PullTask {
  /** The model's name. */
  readonly model: string;
  /** The address of the server. */
  readonly host: URL;
  /** Whether the server may use a registry without TLS. */
  readonly insecure: boolean;
  /** Whether to write JSON for a program. */
  readonly json: boolean;
  /** The command that resumes the pull. */
  readonly again: string;
  /** The message when the pull is cancelled. */
  readonly cancelled: string;
}

/** Pulls a model, shows its progress, and resolves to the exit code. */
export async function runPull(task: PullTask, context: CommandContext): Promise<number> {
  const { model, host, insecure, json, again } = task;
  const { signal } = context;
  const view = createView(context, { json, opening: `connecting to ${host.origin}` });
  let hasBytes = false;
  try {
    await pullModel(model, {
      host,
      insecure,
      signal,
      now: context.now,
      onProgress: (progress) => {
        hasBytes ||= progress.completed > 0;
        view.show(progress);
      },
    });
    view.end();
    return EXIT.success;
  } catch (error) {
    view.end();
    if (!signal.aborted) {
      const attempt = { model, host, again, hasBytes };
      context.stderr.write(`error: ${describeFailure(error, attempt)}\n`);
      return EXIT.failure;
    }
    if (!(signal.reason instanceof Interruption)) throw error;
    const { exitCode } = signal.reason;
    if (exitCode !== EXIT.outputClosed) context.stderr.write(`${task.cancelled}\n`);
    return exitCode;
  }
}

interface PullFlags {
  readonly host?: string;
  readonly insecure?: true;
  readonly json?: true;
}

/** The command that pulls the same again, for a shell. */
function describeAgain(
  model: string,
  host: URL,
  { insecure, json, ...flags }: PullFlags,
  { invocation, env }: CommandContext,
): string {
  const isDefaultHost = flags.host === undefined && !env.OLLAMA_HOST;
  return [
    invocation,
    "pull",
    quoteArgument(printable(model)),
    ...(isDefaultHost ? [] : ["--host", quoteArgument(showHost(host))]),
    ...(insecure ? ["--insecure"] : []),
    ...(json ? ["--json"] : []),
  ].join(" ");
}

/** Adds `pull` to the program. */
export const addPullCommand: AddCommand = (program, context, onExit) => {
  program
    .command("pull")
    .description("pull a model and show its progress")
    .argument("<model>", "the model's name, such as llama3.2 or llama3.2:1b")
    .option("--host <address>", `the address of Ollama (default: $OLLAMA_HOST, or ${DEFAULT_HOST})`)
    .option("--insecure", "let Ollama use a registry without TLS")
    .option("--json", "write each update as a line of JSON")
    .action(async (model: string, flags: PullFlags) => {
      requireModelName(model);
      const host = chooseHost(flags.host, context.env.OLLAMA_HOST);
      const again = describeAgain(model, host, flags, context);
      const task = {
        model,
        host,
        insecure: flags.insecure ?? false,
        json: flags.json ?? false,
        again,
        cancelled: `Cancelled. What was downloaded is kept; to resume, run: ${again}`,
      };
      onExit(await runPull(task, context));
    });
};
