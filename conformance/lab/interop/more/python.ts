/**
 * The clients in Python.
 *
 * @module
 */

import { join } from "node:path";
import { drivenClient, driverPath } from "../driver.ts";
import type { Subject } from "../subject.ts";
import type { Workshop } from "../workshop.ts";

/** Makes an environment with the packages, and returns the command that runs a driver in it. */
async function command(workshop: Workshop, driver: string): Promise<readonly string[]> {
  const folder = await workshop.build({
    name: "more-python",
    sources: driverPath("more/python"),
    steps: () => [
      { command: ["python3", "-m", "venv", "."] },
      { command: ["bin/pip", "install", "--quiet", "--requirement", "src/requirements.txt"] },
    ],
  });
  return [join(folder, "bin/python"), join(folder, "src", driver)];
}

/** The clients. */
export const pythonClients: readonly Subject[] = [
  drivenClient({
    name: "cxai-client (Python)",
    version: "3.0.0",
    needs: ["python"],
    command: (workshop) => command(workshop, "cxai.py"),
  }),
  drivenClient({
    name: "propagul (Python)",
    version: "0.9.0",
    needs: ["python"],
    command: (workshop) => command(workshop, "propagul_mesh.py"),
  }),
];
