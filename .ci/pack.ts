/**
 * Makes the npm package: `deno task pack [folder]`. Deno makes JavaScript, types and the dependencies of
 * it; what npm wants to know besides is added here.
 *
 * @module
 */

import { join } from "node:path";
import { outputOf } from "./command.ts";
import { readJsrConfig, ROOT } from "./project.ts";

/** What Deno does not write into `package.json`. */
async function extraFields(): Promise<object> {
  const { license } = await readJsrConfig();
  return {
    description: "Ollama's model downloads: stream transformers, a client, a mock and rules",
    license,
    keywords: ["ollama", "pull", "ndjson", "web-streams", "mock", "conformance"],
    engines: { node: ">=20.16" },
    bin: { "ollama-pull": "./cli/main.js" },
    // Nothing happens where a file is imported, but for the command, which is imported by nobody.
    sideEffects: false,
  };
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
    const manifestFile = join(contents, "package.json");
    const manifest = JSON.parse(await Deno.readTextFile(manifestFile));
    await Deno.writeTextFile(
      manifestFile,
      JSON.stringify({ ...manifest, ...await extraFields() }, null, 2),
    );
    await Deno.mkdir(folder, { recursive: true });
    const printed = await outputOf(["npm", "pack", "--json", `--pack-destination=${folder}`], {
      cwd: contents,
    });
    const [{ filename }] = JSON.parse(printed);
    return join(folder, filename);
  } finally {
    await Deno.remove(work, { recursive: true });
  }
}

if (import.meta.main) console.log(await pack(Deno.args[0] ?? ROOT));
