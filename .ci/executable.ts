/**
 * Makes the command one file for machines that have no runtime: `deno task executable [folder]`, which
 * prints the path of the file. With `--all`, one for each platform, the licences, and the checksums.
 *
 *     cli/main.ts ── bun build --compile ──▶ ollama-pull-linux-x64, …-darwin-arm64, …-windows-x64.exe
 *
 * Almost all of a file is Bun's runtime, about 100 MB. Bun has itself for other platforms sent by the
 * registry of npm.
 *
 * @module
 */

import { basename, join, resolve } from "node:path";
import { arch, platform } from "node:process";
import { outputOf } from "./command.ts";
import { LICENSES_FILE, licensesOf } from "./licenses.ts";
import { readDenoConfig, readText, ROOT } from "./project.ts";
import { createTask } from "./task.ts";

/** The platforms that a release has a file for, as Bun and Node name them. */
export const PLATFORMS: readonly string[] = [
  "darwin-arm64",
  "darwin-x64",
  "linux-arm64",
  "linux-x64",
  "windows-x64",
];

/** What is made into one file. */
const ENTRY = "cli/main.ts";

/** Where the files go if nobody says: a folder that Git ignores. */
const DEFAULT_FOLDER = join(ROOT, ".cache/executable");

/** The platform of this machine. */
export function platformHere(): string {
  return `${platform === "win32" ? "windows" : platform}-${arch}`;
}

/** Runs Bun's bundler on the command, and returns what it prints. */
function build(...options: readonly string[]): Promise<string> {
  const bun = join(ROOT, "node_modules/.bin/bun");
  return outputOf([bun, "build", ENTRY, ...options], { cwd: ROOT });
}

/** Makes the file for a platform in a folder, and returns its path. */
export async function compile(folder: string, target: string = platformHere()): Promise<string> {
  const { version } = await readDenoConfig();
  const suffix = target.startsWith("windows-") ? ".exe" : "";
  const file = join(folder, `ollama-pull-${target}${suffix}`);
  await build(
    "--compile",
    "--minify",
    `--target=bun-${target}`,
    // No manifest is beside the file: see cli/version.ts.
    `--define=OLLAMA_PULL_VERSION=${JSON.stringify(version)}`,
    // No file of the folder in which it is run may change what it does.
    "--no-compile-autoload-dotenv",
    "--no-compile-autoload-bunfig",
    `--outfile=${file}`,
  );
  return file;
}

/** The licences of all that the files hold. */
export async function licensesInside(): Promise<string> {
  const others = await licensesOf([await build("--target=bun")]);
  const bun =
    "The file holds Bun, too: see https://bun.com/docs/project/license for its licences.\n";
  return [await readText("LICENSE"), bun, others].join("\n");
}

/** Makes all that a release has besides the packages, in a folder, and returns the paths. */
async function compileAll(folder: string): Promise<string[]> {
  const files: string[] = [];
  for (const target of PLATFORMS) files.push(await compile(folder, target));
  const licenses = join(folder, LICENSES_FILE);
  await Deno.writeTextFile(licenses, await licensesInside());
  files.push(licenses);
  const names = files.map((file) => basename(file));
  const sums = join(folder, "SHA256SUMS"); // `sha256sum --check` reads it
  await Deno.writeTextFile(sums, await outputOf(["sha256sum", ...names], { cwd: folder }));
  return [...files, sums];
}

if (import.meta.main) {
  const program = createTask("executable")
    .description("makes the command one file, which runs without Deno, Node and Bun")
    .argument("[folder]", "where the file goes", DEFAULT_FOLDER)
    .option("--all", "make one for each platform, with the licences and the checksums")
    .parse(Deno.args, { from: "user" });
  const folder = resolve(program.processedArgs[0]);
  const { all } = program.opts<{ all?: true }>();
  console.log((all ? await compileAll(folder) : [await compile(folder)]).join("\n"));
}
