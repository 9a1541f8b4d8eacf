/**
 * Runs commands to their end, and keeps what they print.
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

/** Where to run a command, and with which environment variables besides those that there are. */
export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * What commands are told: to print plainly, and to ask nobody elsewhere for updates of Deno, nor for the
 * manifest of a model.
 */
const QUIETLY = {
  NO_COLOR: "1",
  DENO_NO_UPDATE_CHECK: "1",
  OLLAMA_PULL_REGISTRY: "http://127.0.0.1:1",
};

/** Runs a command: a program and its arguments. */
export async function runCommand(
  [program, ...args]: readonly [string, ...string[]],
  { cwd, env }: CommandOptions = {},
): Promise<CommandResult> {
  const command = new Deno.Command(program, {
    args,
    ...(cwd !== undefined && { cwd }),
    env: { ...QUIETLY, ...env },
    stdin: "null",
  });
  const { success, stdout, stderr } = await command.output();
  const utf8 = new TextDecoder();
  return { ok: success, stdout: utf8.decode(stdout), stderr: utf8.decode(stderr) };
}

/** The standard output of a command. Fails, with all that it has printed, if the command does. */
export async function outputOf(
  command: readonly [string, ...string[]],
  options: CommandOptions = {},
): Promise<string> {
  const { ok, stdout, stderr } = await runCommand(command, options);
  if (!ok) throw new Error(`\`${command.join(" ")}\` has failed: ${stdout}${stderr}`);
  return stdout;
}

/**
 * Has Deno take packages from its cache, by the lock file, and not from `node_modules`: that shows types that
 * do not come with a package, and imports as `npm:` names them.
 */
export const FROM_CACHE = "--node-modules-dir=none";

/** Runs Deno, the one that runs this, with some arguments. */
export function runDeno(args: string[], cwd: string): Promise<CommandResult> {
  return runCommand([Deno.execPath(), ...args], { cwd });
}

/** Runs Deno with some arguments, and returns what it says is wrong: nothing, if it succeeds. */
export async function findProblems(args: string[], cwd: string): Promise<string[]> {
  const { ok, stdout, stderr } = await runDeno(args, cwd);
  return ok ? [] : [stdout + stderr];
}
