/**
 * Builds implementations, once each: a build stays in a folder whose name is derived from everything that
 * went into it.
 *
 * @module
 */

import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { cp, mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

/** The folder of this repository's builds. */
export const BUILDS: string = fileURLToPath(
  new URL("../../../.cache/interop", import.meta.url),
);

/** A program to run. */
export interface BuildStep {
  /** The program and its arguments. */
  readonly command: readonly string[];
  /** Where to run it, relative to the folder of the build. @default that folder */
  readonly cwd?: string;
  /** More environment variables. */
  readonly env?: Readonly<Record<string, string>>;
}

/** What to build. */
export interface BuildPlan {
  /** The name of the build. */
  readonly name: string;
  /** The folder with its sources, which is copied to `src` in the folder of the build. */
  readonly sources?: string;
  /** The steps, run one after another in the folder of the build. */
  readonly steps: (folder: string) => readonly BuildStep[];
}

/** How long a step of a build may take, including downloads, in milliseconds. */
const STEP_TIMEOUT_MS = 15 * 60_000;

/** How many characters of a failed step's output are shown. */
const SHOWN_CHARACTERS = 2_000;

/** The file that marks a build as complete. */
const COMPLETE = "complete";

/** A folder of builds. */
export class Workshop {
  readonly #folder: string;
  readonly #builds = new Map<string, Promise<string>>();

  /**
   * Opens a folder of builds.
   *
   * @param folder Its path.
   */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Builds something, unless that was done before, and returns its folder. */
  build(plan: BuildPlan): Promise<string> {
    const known = this.#builds.get(plan.name);
    if (known) return known;
    const build = this.#build(plan);
    this.#builds.set(plan.name, build);
    return build;
  }

  async #build({ name, sources, steps }: BuildPlan): Promise<string> {
    const hash = createHash("sha256").update(JSON.stringify(steps("")));
    if (sources !== undefined) await addFiles(hash, sources);
    const folder = join(this.#folder, `${name}-${hash.digest("hex").slice(0, 12)}`);
    if (await isThere(join(folder, COMPLETE))) return folder;
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true });
    if (sources !== undefined) await cp(sources, join(folder, "src"), { recursive: true });
    for (const step of steps(folder)) await runStep(step, folder);
    await writeFile(join(folder, COMPLETE), "");
    return folder;
  }
}

async function isThere(path: string): Promise<boolean> {
  return await stat(path).then(() => true, () => false);
}

async function addFiles(hash: ReturnType<typeof createHash>, folder: string): Promise<void> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name)).sort();
  for (const file of files) hash.update(relative(folder, file)).update(await readFile(file));
}

async function runStep(
  { command: [program = "", ...args], cwd = "", env = {} }: BuildStep,
  folder: string,
): Promise<void> {
  const child = spawn(program, args, {
    cwd: join(folder, cwd),
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: STEP_TIMEOUT_MS,
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => output += text);
  }
  const outcome = await new Promise<string>((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("close", (code, signal) => resolve(code === 0 ? "" : `exit ${code ?? signal}`));
  });
  if (outcome === "") return;
  const line = [program, ...args].join(" ");
  throw new Error(`${line}: ${outcome}\n${output.slice(-SHOWN_CHARACTERS)}`);
}
