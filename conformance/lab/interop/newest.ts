/**
 * Finds the newest version of the reference server, and whether the mock was compared with it. It asks the
 * `go` command, which queries the Go module proxy.
 *
 * @module
 */

import { execFile } from "node:child_process";
import { tmpdir } from "node:os";
import { promisify } from "node:util";
import { CURRENT_VERSION, MODULE } from "./servers/reference.ts";

/** A program, with arguments, that lists the versions of a module. */
export interface ListCommand {
  readonly program: string;
  readonly args: readonly string[];
}

const GO_LIST: ListCommand = { program: "go", args: ["list", "-m", "-versions", MODULE] };

/** How long listing the versions may take, in milliseconds. */
const LIST_TIMEOUT_MS = 30_000;

/** A stable version, not a preview. */
const STABLE = /^v(\d+\.\d+\.\d+)$/;

const NUMBERS = new Intl.Collator("en", { numeric: true });

/**
 * The newest stable version of the reference server, or `undefined` if none is listed: Go is not installed,
 * or cannot reach its module proxy.
 *
 * @param command The command that lists the versions. It must print the name of the module and all versions
 * on one line.
 */
export async function newestVersion(command: ListCommand = GO_LIST): Promise<string | undefined> {
  const words = await wordsOf(command);
  return words.flatMap((word) => STABLE.exec(word)?.[1] ?? []).sort(NUMBERS.compare).at(-1);
}

/** The output of a command, split into words. Empty if it fails. */
async function wordsOf({ program, args }: ListCommand): Promise<string[]> {
  // A `go.mod` in the current folder would affect which versions are listed.
  const options = { cwd: tmpdir(), timeout: LIST_TIMEOUT_MS };
  try {
    const { stdout } = await promisify(execFile)(program, [...args], options);
    return stdout.trim().split(/\s+/);
  } catch {
    return [];
  }
}

/**
 * Says in a line whether the mock was compared with the newest version. Empty if none is known.
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
  return `${start}: the mock was compared with ${compared} only. Set CURRENT_VERSION to it in ` +
    "servers/reference.ts, and record it again\n";
}
