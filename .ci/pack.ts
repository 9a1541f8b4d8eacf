/**
 * Makes the npm package: `deno task pack [folder]`, which prints the path of the tarball. Deno makes the
 * types and bundles the JavaScript; the dependencies and what else npm wants to know are added here.
 *
 *     sources ── deno pack ──▶ types, documents, package.json ──▶ tarball
 *          └─── deno bundle ─▶ entries and chunks, licences ───────┘
 *
 * Each module costs Node time to find and load, so the modules of an entry come in a few chunks. What
 * several entries use is in a chunk that they share: an error is of the same class whichever entry it
 * comes from. What is imported where it is needed stays in chunks of its own.
 *
 * @module
 */

import { join, resolve } from "node:path";
import { outputOf } from "./command.ts";
import { LICENSES_FILE, licensesOf } from "./licenses.ts";
import {
  entryFiles,
  followImports,
  listFiles,
  readDenoConfig,
  readJsrConfig,
  ROOT,
} from "./project.ts";
import { createTask } from "./task.ts";

/**
 * The dependencies that are bundled: the command alone uses them, which nobody imports. Those of the
 * library stay dependencies: whoever uses Hono or fast-check, too, would get them twice. Commander is
 * CommonJS, which would bring `node:module` into chunks that browsers load.
 */
const BUNDLED = ["log-update", "string-width"];

/** Where the tarball goes if nobody says: a folder that Git ignores. */
const DEFAULT_FOLDER = join(ROOT, ".cache/pack");

/** What an import is mapped to: the name of a package, and its version. */
const NPM_PACKAGE = /^npm:((?:@[^/@]+\/)?[^/@]+)@([^/]+)/;

type Dependencies = Readonly<Record<string, string>>;

/**
 * The repository, where a workflow of GitHub makes the package: npm compares it with the one that the proof
 * of the package's origin names, and refuses the package if they differ.
 */
function repositoryField(): object {
  const server = Deno.env.get("GITHUB_SERVER_URL");
  const repository = Deno.env.get("GITHUB_REPOSITORY");
  if (!server || !repository) return {};
  return { repository: { type: "git", url: `git+${server}/${repository}.git` } };
}

/** What Deno does not write into `package.json`. */
async function extraFields(): Promise<object> {
  const { license } = await readJsrConfig();
  return {
    ...repositoryField(),
    description: "Ollama's model downloads: stream transformers, a client, a mock and rules",
    license,
    keywords: ["ollama", "pull", "ndjson", "web-streams", "mock", "conformance"],
    engines: { node: ">=20.16" },
    bin: { "ollama-pull": "./cli/main.js" },
    // Nothing happens where a file is imported, but for the command, which is imported by nobody.
    sideEffects: false,
  };
}

/**
 * The packages that the entries import, with the versions that `deno.json` takes. (Deno lists them only if it
 * resolves imports by its cache, which `deno pack` cannot be told to do.)
 */
async function dependenciesOf(entries: string[]): Promise<Dependencies> {
  const { foreign } = await followImports(entries, ROOT);
  const { imports } = await readDenoConfig();
  const mapped = Object.values(imports).map((target) => NPM_PACKAGE.exec(target)?.slice(1) ?? []);
  const used = mapped.filter(([name]) =>
    foreign.some((specifier) => specifier.startsWith(`npm:/${name}@`))
  );
  return Object.fromEntries(used);
}

/** Completes a `package.json` of Deno's. Returns the dependencies that are not bundled. */
async function completeManifest(file: string): Promise<Dependencies> {
  const manifest = JSON.parse(await Deno.readTextFile(file));
  const dependencies = Object.fromEntries(
    Object.entries(await dependenciesOf(await entryFiles()))
      .filter(([name]) => !BUNDLED.includes(name)),
  );
  const fields = { ...manifest, dependencies, ...await extraFields() };
  await Deno.writeTextFile(file, JSON.stringify(fields, null, 2));
  return dependencies;
}

/** The JavaScript of a package, by the paths of the files. */
async function listModules(contents: string): Promise<string[]> {
  const files = await listFiles(contents);
  return files.filter((file) => file.endsWith(".js")).map((file) => join(contents, file));
}

/** Puts bundles in the place of all modules of a package. They import nothing but some dependencies. */
async function bundleModules(contents: string, dependencies: Dependencies): Promise<void> {
  for (const file of await listModules(contents)) await Deno.remove(file);
  const args = ["--quiet", "--code-splitting", "--platform=deno", `--outdir=${contents}`];
  const external = Object.keys(dependencies).flatMap((name) => [name, `${name}/*`])
    .map((pattern) => `--external=${pattern}`);
  const entries = await entryFiles();
  await outputOf([Deno.execPath(), "bundle", ...args, ...external, ...entries], { cwd: ROOT });
  const modules = await listModules(contents);
  const bundles = await Promise.all(modules.map((file) => Deno.readTextFile(file)));
  await Deno.writeTextFile(join(contents, LICENSES_FILE), await licensesOf(bundles));
}

/** Packs the package into a folder, and returns the path of the tarball. */
export async function pack(folder: string): Promise<string> {
  const work = await Deno.makeTempDir();
  try {
    const archive = join(work, "deno.tgz");
    const contents = join(work, "package");
    const args = ["--quiet", "--allow-dirty", "--no-source-maps", "--output", archive];
    await outputOf([Deno.execPath(), "pack", ...args], { cwd: ROOT });
    await outputOf(["tar", "-xzf", archive, "-C", work]);
    const dependencies = await completeManifest(join(contents, "package.json"));
    await bundleModules(contents, dependencies);
    const destination = resolve(folder);
    await Deno.mkdir(destination, { recursive: true });
    const printed = await outputOf(["npm", "pack", "--json", `--pack-destination=${destination}`], {
      cwd: contents,
    });
    const [{ filename }] = JSON.parse(printed);
    return join(destination, filename);
  } finally {
    await Deno.remove(work, { recursive: true });
  }
}

if (import.meta.main) {
  const program = createTask("pack")
    .description("makes the npm package, and prints the path of the tarball")
    .argument("[folder]", "where the tarball goes", DEFAULT_FOLDER)
    .parse(Deno.args, { from: "user" });
  const [folder] = program.processedArgs as [string];
  console.log(await pack(folder));
}
