/**
 * The newest version of the reference server that is to be had, and whether the mock was compared with
 * it. The `go` command knows: it asks where it gets modules from.
 *
 * @module
 */

import { execFile } from "node:child_process";
import { tmpdir } from "node:os";
import { promisify } from "node:util";
import { CURRENT_VERSION, MODULE } from "./servers/reference.ts";

/** A program, with its arguments, that lists the versions of a module. */
export interface ListCommand {
  readonly program: string;
  readonly args: readonly string[];
}

const GO_LIST: ListCommand = { program: "go", args: ["list", "-m", "-versions", MODULE] };

/** How long it may take to list the versions. */
const LIST_TIMEOUT_MS = 30_000;

/** A version that is no preview. */
const STABLE = /^v(\d+\.\d+\.\d+)$/;

const NUMBERS = new Intl.Collator("en", { numeric: true });

/**
 * The newest stable version of the reference server that is listed, or `undefined` if none is: there is
 * no Go here, or it cannot reach its modules.
 *
 * @param command What lists the versions. It prints the name of the module and all versions, in a line.
 */
export async function newestVersion(command: ListCommand = GO_LIST): Promise<string | undefined> {
  const words = await wordsOf(command);
  return words.flatMap((word) => STABLE.exec(word)?.[1] ?? []).sort(NUMBERS.compare).at(-1);
}

/** The words that a command prints: none, if it fails. */
async function wordsOf({ program, args }: ListCommand): Promise<string[]> {
  // A `go.mod` in the current folder would have a say in which versions are listed.
  const options = { cwd: tmpdir(), timeout: LIST_TIMEOUT_MS };
  try {
    const { stdout } = await promisify(execFile)(program, [...args], options);
    return stdout.trim().split(/\s+/);
  } catch {
    return [];
  }
}

/**
 * Says in a line whether the mock was compared with the newest version, or nothing if none is known.
 *
 * @param newest The newest version that is listed.
 * @param compared The version that the mock was compared with.
 */
export function compareNewest(
  newest: string | undefined,
  compared: string = CURRENT_VERSION,
): string {
  if (newest === undefined) return "";
  const start = `The newest version of ollama serve that Go lists is ${newest}`;
  const order = NUMBERS.compare(newest, compared);
  if (order === 0) return `${start}: the mock was compared with it\n`;
  if (order < 0) return `${start}: the mock was compared with ${compared}, which is newer\n`;
  return `${start}: the mock was compared with ${compared} only. Make it the CURRENT_VERSION in ` +
    "servers/reference.ts, and record it anew\n";
}
