/**
 * What this repository holds: its configuration, its files, and which of them import which.
 *
 * Files are named by their path from the top, with `/`.
 *
 * @module
 */

import { join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { findProblems, FROM_CACHE, runDeno } from "./command.ts";

/** The top of the repository. */
export const ROOT: string = fileURLToPath(new URL("..", import.meta.url));

/** The part of `deno.json` that the checks look at. */
export interface DenoConfig {
  readonly name: string;
  readonly version: string;
  readonly exports: Readonly<Record<string, string>>;
  /** A command line each, or one with the tasks that run before it. */
  readonly tasks: Readonly<Record<string, string | { readonly command: string }>>;
  readonly imports: Readonly<Record<string, string>>;
  readonly allowScripts: { readonly allow: readonly string[]; readonly deny: readonly string[] };
  readonly compilerOptions: Readonly<Record<string, unknown>>;
}

/** The contents of `jsr.json`. */
export interface JsrConfig {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly exports: Readonly<Record<string, string>>;
}

/** The part of `tsconfig.json` that the checks look at. */
export interface TypeScriptConfig {
  readonly compilerOptions: { readonly paths: Readonly<Record<string, readonly string[]>> };
}

/** Reads a text file of the repository. */
export function readText(path: string): Promise<string> {
  return Deno.readTextFile(join(ROOT, path));
}

async function readJson<Contents>(path: string): Promise<Contents> {
  return JSON.parse(await readText(path));
}

/** Reads `deno.json`. */
export const readDenoConfig = (): Promise<DenoConfig> => readJson("deno.json");
/** Reads `jsr.json`. */
export const readJsrConfig = (): Promise<JsrConfig> => readJson("jsr.json");
/** Reads `tsconfig.json`. */
export const readTypeScriptConfig = (): Promise<TypeScriptConfig> => readJson("tsconfig.json");

/** The files that the package exports, without a leading `./`. */
export async function entryFiles(): Promise<string[]> {
  const { exports } = await readDenoConfig();
  return Object.values(exports).map((file) => file.replace(/^\.\//, ""));
}

/** Type-checks with other options than the package's own, and returns what the compiler objects to. */
export async function typeCheck(args: string[], root: string, config: object): Promise<string[]> {
  const folder = await Deno.makeTempDir();
  try {
    const configFile = join(folder, "deno.json");
    await Deno.writeTextFile(configFile, JSON.stringify(config));
    // Without the lock file, a release of somebody else's package could fail the check.
    await Deno.copyFile(join(ROOT, "deno.lock"), join(folder, "deno.lock"));
    const options = ["check", "--quiet", FROM_CACHE, "--config", configFile];
    return await findProblems([...options, ...args], root);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Every file below a folder, in order, but for what was installed and what Git keeps. */
export async function listFiles(root: string, folder = ""): Promise<string[]> {
  const files: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(join(root, folder))) {
    if (name === "node_modules" || name === ".git" || name === ".cache") continue;
    const path = folder === "" ? name : `${folder}/${name}`;
    if (isDirectory) files.push(...await listFiles(root, path));
    else files.push(path);
  }
  return files.sort();
}

/** Whether a file holds tests, by the names that Deno goes by. */
export function isTestFile(path: string): boolean {
  return /(^|[/_.])test\.[cm]?[jt]sx?$/.test(path);
}

/** Whether a file is there for tests alone: one of tests, or one that helps them. */
export function isForTests(path: string): boolean {
  return isTestFile(path) || path.endsWith("test_helpers.ts");
}

/** A path as the files of the repository are named, or `undefined` for what lies elsewhere. */
export function toProjectPath(specifier: string, root: string): string | undefined {
  if (!specifier.startsWith("file:")) return undefined;
  const path = relative(root, fileURLToPath(specifier)).replaceAll(sep, "/");
  return path.startsWith("../") ? undefined : path;
}

/** All that a module consists of, itself included. */
export interface ModuleGraph {
  /** The files of the repository. */
  readonly files: readonly string[];
  /** What else is imported: packages, parts of a runtime, and what was not found. */
  readonly foreign: readonly string[];
}

interface ModuleInfo {
  readonly specifier: string;
  readonly error?: string;
}

/** Follows the imports of some files below a root. */
export async function followImports(entries: string[], root: string): Promise<ModuleGraph> {
  const files = new Set<string>();
  const foreign = new Set<string>();
  for (const entry of entries) {
    if (files.has(entry)) continue;
    const { ok, stdout, stderr } = await runDeno(["info", "--json", FROM_CACHE, entry], root);
    if (!ok) throw new Error(`Cannot follow the imports of ${entry}: ${stderr}`);
    const { modules } = JSON.parse(stdout) as { modules: ModuleInfo[] };
    for (const { specifier, error } of modules) {
      const path = toProjectPath(specifier, root);
      if (path === undefined || error !== undefined) foreign.add(specifier);
      else files.add(path);
    }
  }
  return { files: [...files].sort(), foreign: [...foreign].sort() };
}
