/**
 * Runs Deno's own tools to their end, and keeps what they print.
 *
 * @module
 */

/** How a command ended. */
export interface CommandResult {
  /** Whether its exit code was 0. */
  readonly ok: boolean;
  /** Its standard output, without colours. */
  readonly stdout: string;
  /** Its standard error, without colours. */
  readonly stderr: string;
}

/** Runs Deno, the one that runs this, with some arguments. */
export async function runDeno(args: string[], cwd: string): Promise<CommandResult> {
  const command = new Deno.Command(Deno.execPath(), {
    args,
    cwd,
    env: { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" },
    stdin: "null",
  });
  const { success, stdout, stderr } = await command.output();
  const utf8 = new TextDecoder();
  return { ok: success, stdout: utf8.decode(stdout), stderr: utf8.decode(stderr) };
}

/** Runs Deno with some arguments, and returns what it says is wrong: nothing, if it succeeds. */
export async function findProblems(args: string[], cwd: string): Promise<string[]> {
  const { ok, stdout, stderr } = await runDeno(args, cwd);
  return ok ? [] : [stdout + stderr];
}
