/**
 * Clients that are driven by a command: a short program in the client's own language, in `drivers/`.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { commandClient, type CommandClientOptions } from "../../client/subject.ts";
import type { Subject } from "./subject.ts";
import { type ToolName, tools, versionOf } from "./tools.ts";
import type { Workshop } from "./workshop.ts";

/** The folder of the drivers. */
const DRIVERS = new URL("./drivers/", import.meta.url);

/** The path of a file or folder in `drivers/`. */
export function driverPath(name: string): string {
  return fileURLToPath(new URL(name, DRIVERS));
}

/** The most random inputs per rule, because each starts the command once or twice. */
const MAX_RUNS = 2;

/** A client that is driven by a command. */
export interface DrivenClient
  extends Pick<CommandClientOptions, "reports" | "timeLimitMs" | "env" | "maxRuns"> {
  /** Its name. */
  readonly name: string;
  /** Its version, if it does not depend on the machine. */
  readonly version?: string;
  /** The programs that it needs. */
  readonly needs: readonly ToolName[];
  /** Builds it, and returns the command: the program and its arguments. */
  readonly command: (workshop: Workshop) => Promise<readonly string[]> | readonly string[];
  /** The rules that it breaks, each with the reason, from its source code. @default {{}} */
  readonly breaks?: Subject["breaks"];
}

/** Turns a client that is driven by a command into a subject. */
export function drivenClient({ command, needs, breaks = {}, ...options }: DrivenClient): Subject {
  const { name, version } = options;
  return {
    side: "client",
    name,
    ...(version !== undefined && { version }),
    needs,
    breaks,
    async prepare(workshop) {
      const found = version ?? await versionOf(tools[needs[0]!]);
      const told = {
        maxRuns: MAX_RUNS,
        ...options,
        ...(found !== undefined && { version: found }),
      };
      return { implementation: commandClient(await command(workshop), told) };
    },
  };
}
