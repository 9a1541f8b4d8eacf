/**
 * The clients in Rust.
 *
 * @module
 */

import { join } from "node:path";
import { drivenClient, driverPath } from "../driver.ts";
import type { Subject } from "../subject.ts";
import type { Workshop } from "../workshop.ts";

/** Builds the drivers, and returns the command that runs one of them. */
async function command(workshop: Workshop, driver: string): Promise<readonly string[]> {
  const folder = await workshop.build({
    name: "more-rust",
    sources: driverPath("more/rust"),
    steps: () => [{ command: ["cargo", "build", "--quiet", "--target-dir=.."], cwd: "src" }],
  });
  return [join(folder, "debug", driver)];
}

/** The clients. */
export const rustClients: readonly Subject[] = [
  drivenClient({
    name: "ollama-native (Rust)",
    version: "1.0.2",
    needs: ["cargo"],
    command: (workshop) => command(workshop, "ollama-native"),
  }),
  drivenClient({
    name: "ollama-rest (Rust)",
    version: "0.7.2",
    needs: ["cargo"],
    command: (workshop) => command(workshop, "ollama-rest"),
  }),
];
