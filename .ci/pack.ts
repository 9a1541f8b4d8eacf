/**
 * Makes the npm package: `deno task pack [folder]`, which prints the path of the tarball. Deno makes the
 * types and bundles the JavaScript. This adds the dependencies, and what else npm requires.
 *
 *     sources ── deno pack ──▶ types, documents, package.json ──▶ tarball
 *          └─── deno bundle ─▶ entries and chunks, licences ───────┘
 *
 * Node takes time to find and load each module, so the modules of an entry are bundled in a few chunks. Code that
 * several entries use is in a shared chunk, so that an error has the same class whichever entry it
 * comes from. Dynamic imports keep chunks of their own.
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
 * The dependencies that are bundled: only the command uses them, and nobody imports the command. Those of the
 * other entries stay dependencies: otherwise users of Hono or fast-check would have them twice. Commander is
 * not bundled: it is CommonJS, which would bring `node:module` into chunks that browsers load.
 */
const BUNDLED = ["log-update", "string-width"];

/** The default folder for the tarball, which Git ignores. */
const DEFAULT_FOLDER = join(ROOT, ".cache/pack");

/** What an import is mapped to: the name of a package, and its version. */
const NPM_PACKAGE = /^npm:((?:@[^/@]+\/)?[^/@]+)@([^/]+)/;

type Dependencies = Readonly<Record<string, string>>;

/**
 * The repository, if a GitHub workflow makes the package: npm compares it with the one in the provenance
 * of the package, and refuses the package if they differ.
 */
function repositoryField(): object {
  const server = Deno.env.get("GITHUB_SERVER_URL");
  const repository = Deno.env.get("GITHUB_REPOSITORY");
  if (!server || !repository) return {};
  return { repository: { type: "git", url: `git+${server}/${repository}.git` } };
}

/** The fields of `package.json` that Deno does not write. */
async function extraFields(): Promise<object> {
  const { license } = await readJsrConfig();
  return {
    ...repositoryField(),
    description: "Ollama's model downloads: stream transformers, a client, a mock and rules",
    license,
    keywords: ["ollama", "pull", "ndjson", "web-streams", "mock", "conformance"],
    engines: { node: ">=20.16" },
    bin: { "ollama-pull": "./cli/main.js" },
    // Importing a file has no side effects, except for the command, which nobody imports.
    sideEffects: false,
  };
}

/**
 * The packages that the entries import, with their versions in `deno.json`. (Deno lists them only if it resolves
 * imports from its cache, which `deno pack` has no option for.)
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

/** Completes Deno's `package.json`. Returns the dependencies that are not bundled. */
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

/** The JavaScript of a package, by path. */
async function listModules(contents: string): Promise<string[]> {
  const files = await listFiles(contents);
  return files.filter((file) => file.endsWith(".js")).map((file) => join(contents, file));
}

/** Replaces all modules of a package with bundles, which import only some dependencies. */
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
