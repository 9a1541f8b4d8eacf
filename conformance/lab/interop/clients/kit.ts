/**
 * Our own client, `pull`, as a command in each runtime that has a command line.
 *
 * @module
 */

import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import config from "../../../../deno.json" with { type: "json" };
import { type DrivenClient, drivenClient, driverPath } from "../driver.ts";
import type { Subject } from "../subject.ts";

/** After how long a silent server makes it fail: longer than a busy machine keeps anybody waiting. */
const TIME_LIMIT_MS = 1_500;

const ROOT = fileURLToPath(new URL("../../../../", import.meta.url));
const DRIVER = driverPath("kit.ts");

function kit(runtime: string, { needs = [], command }: Partial<DrivenClient>): Subject {
  const subject = drivenClient({
    name: `pull of this package (${runtime})`,
    version: config.version,
    reports: "progress",
    timeLimitMs: TIME_LIMIT_MS,
    env: { STALL_TIMEOUT_MS: String(TIME_LIMIT_MS) },
    needs,
    command: command!,
  });
  return { ...subject, isOurs: true };
}

/** The client in each runtime. */
export const ownCommands: readonly Subject[] = [
  kit("Deno", { command: () => [process.execPath, "run", "--allow-net", "--allow-env", DRIVER] }),
  kit("Bun", { command: () => [join(ROOT, "node_modules/.bin/bun"), DRIVER] }),
  kit("Node", {
    needs: ["node"],
    // Node wants JavaScript.
    async command(workshop) {
      const folder = await workshop.build({
        name: "kit",
        steps: (folder) => [{
          command: [process.execPath, "bundle", "--output", join(folder, "kit.mjs"), DRIVER],
        }],
      });
      return ["node", join(folder, "kit.mjs")];
    },
  }),
];
