/**
 * Shows what the first run of a command in a fresh clone fetches: the packages that the command line
 * imports, and nothing for tests. It prints how long that takes, which depends on the network.
 *
 *     files of the repository ──▶ an empty folder ── task, with empty caches ──▶ packages in DENO_DIR
 *
 * @module
 */

import { assertEquals, assertNotMatch } from "@std/assert";
import { after, describe, it } from "node:test";
import { dirname, join } from "node:path";
import { type CommandResult, runCommand } from "./command.ts";
import { followImports, listFiles, readText, ROOT } from "./project.ts";

/** The tasks that users run, with arguments that end soon and load all that the command needs. */
const FIRST_RUNS: Readonly<Record<string, readonly string[]>> = {
  demo: [],
  pull: ["llama3.2", "--host", "http://127.0.0.1:1", "--retries", "0", "--no-manifest"],
  mock: ["--list-faults"],
  conformance: ["--list-rules"],
};

/** The part of `deno.lock` that says what packages depend on. */
interface Lock {
  readonly npm: Readonly<Record<string, { readonly dependencies?: readonly string[] }>>;
}

/** The packages, as `name@version`, that a file imports, and all that those depend on. */
async function packagesOf(entry: string): Promise<string[]> {
  const { npm } = JSON.parse(await readText("deno.lock")) as Lock;
  // A dependency has its version only where there are several of the package.
  const find = (wanted: string) =>
    Object.keys(npm).find((each) => each === wanted || each.startsWith(`${wanted}@`))!;
  const { foreign } = await followImports([entry], ROOT);
  const imported = foreign.map((specifier) => /^npm:\/((?:@[^/]+\/)?[^/]+)/.exec(specifier)?.[1]);
  const found = new Set(imported.filter((each) => each !== undefined));
  // A set goes on to what is added to it meanwhile.
  for (const each of found) npm[each]!.dependencies?.forEach((name) => found.add(find(name)));
  return [...found].sort();
}

/** The packages, as `name@version`, whose files are in the cache of Deno. */
async function packagesIn(denoDir: string): Promise<string[]> {
  const packages: string[] = [];
  for (const path of await listFiles(join(denoDir, "npm"))) {
    const [, name, version] = /^[^/]+\/((?:@[^/]+\/)?[^/]+)\/([^/]+)\/package\.json$/.exec(path) ??
      [];
    if (name !== undefined) packages.push(`${name}@${version}`);
  }
  return packages.sort();
}

/** A copy of the repository, and caches, that go when they are no longer used. */
class FreshClone implements AsyncDisposable {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async create(): Promise<FreshClone> {
    const folder = await Deno.makeTempDir();
    for (const file of await listFiles(ROOT)) {
      const copy = join(folder, "clone", file);
      await Deno.mkdir(dirname(copy), { recursive: true });
      await Deno.copyFile(join(ROOT, file), copy);
    }
    return new FreshClone(folder);
  }

  /** The files of the clone. */
  files(): Promise<string[]> {
    return listFiles(join(this.#folder, "clone"));
  }

  /** The folders in the clone. */
  async folders(): Promise<string[]> {
    const entries = await Array.fromAsync(Deno.readDir(join(this.#folder, "clone")));
    return entries.filter(({ isDirectory }) => isDirectory).map(({ name }) => name);
  }

  /** Where a task keeps what it fetches. */
  cacheOf(task: string): string {
    return join(this.#folder, task);
  }

  /** Runs a task with nothing in the caches. */
  async firstRun(task: string, args: readonly string[]): Promise<CommandResult> {
    const cache = this.cacheOf(task);
    return await runCommand([Deno.execPath(), "task", task, ...args], {
      cwd: join(this.#folder, "clone"),
      env: { DENO_DIR: cache, HOME: cache, XDG_CACHE_HOME: cache },
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#folder, { recursive: true });
  }
}

const clone = await FreshClone.create();
const expected = await packagesOf("cli/main.ts");

describe("the first run in a fresh clone", () => {
  after(() => clone[Symbol.asyncDispose]());

  for (const [task, args] of Object.entries(FIRST_RUNS)) {
    it(`of ${task} fetches only what the command imports, and warns of nothing`, async () => {
      const before = await clone.files();
      const startedAt = performance.now();
      const { stderr } = await clone.firstRun(task, args);
      const seconds = (performance.now() - startedAt) / 1000;
      console.log(`The first run of ${task} took ${seconds.toFixed(1)} s`);
      assertEquals(await packagesIn(clone.cacheOf(task)), expected);
      assertNotMatch(stderr, /warning|approve-scripts/i);
      assertEquals(await clone.files(), before);
      assertEquals((await clone.folders()).includes("node_modules"), false);
    });
  }

  it("would fetch much more for the tests", async () => {
    const { npm } = JSON.parse(await readText("deno.lock")) as Lock;
    assertEquals(expected.length * 5 < Object.keys(npm).length, true);
  });
});
