/**
 * Shows what the npm package contains, which packages it depends on, and how much it adds to a bundle.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { dirname, join } from "node:path";
import { after, describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import { bundledPackages, LICENSES_FILE } from "../licenses.ts";
import { entryFiles, listFiles, readDenoConfig, ROOT } from "../project.ts";
import { DOCUMENTS } from "../publish.ts";
import { bundle, installWithNpm, TOOLS } from "./tarball.ts";

const KB = 1024;

/** Imports from the package, how many bytes each may add, and which packages each may include. */
const IMPORTS: Readonly<Record<string, { maxBytes: number; brings: readonly string[] }>> = {
  'export * from "@ollama-pull/kit";': { maxBytes: 28 * KB, brings: [] },
  'export { pull } from "@ollama-pull/kit";': { maxBytes: 18 * KB, brings: [] },
  'export { PullManager } from "@ollama-pull/kit";': { maxBytes: 21 * KB, brings: [] },
  'export { PullHub } from "@ollama-pull/kit";': { maxBytes: 3 * KB, brings: [] },
  'export { fetchManifest } from "@ollama-pull/kit";': { maxBytes: 11 * KB, brings: [] },
  'export { modelState } from "@ollama-pull/kit";': { maxBytes: 13 * KB, brings: [] },
  'export { ensureModel } from "@ollama-pull/kit";': { maxBytes: 23 * KB, brings: [] },
  'export { decodeProgress } from "@ollama-pull/kit";': { maxBytes: 12 * KB, brings: [] },
  'export { NdjsonDecoderStream } from "@ollama-pull/kit";': { maxBytes: 4 * KB, brings: [] },
  'export { formatProgress } from "@ollama-pull/kit";': { maxBytes: 3 * KB, brings: [] },
  'export { parseHost } from "@ollama-pull/kit";': { maxBytes: 2 * KB, brings: [] },
  'export * from "@ollama-pull/kit/relay";': { maxBytes: 29 * KB, brings: [] },
  'export { createRelay } from "@ollama-pull/kit/relay";': { maxBytes: 25 * KB, brings: [] },
  'export { watchPull } from "@ollama-pull/kit/relay";': { maxBytes: 14 * KB, brings: [] },
  'export { toResponse } from "@ollama-pull/kit/relay";': { maxBytes: 4 * KB, brings: [] },
  'export { fromRecords } from "@ollama-pull/kit/relay";': { maxBytes: 4 * KB, brings: [] },
  'export * from "@ollama-pull/kit/mock";': { maxBytes: 49 * KB, brings: ["hono"] },
  'export * from "@ollama-pull/kit/conformance";': {
    maxBytes: 176 * KB,
    brings: ["fast-check", "hono", "pure-rand"], // the last one is part of fast-check
  },
};

const { exports, name } = await readDenoConfig();
const consumer = await installWithNpm(TOOLS.esbuild);
const installed = join(consumer.folder, "node_modules", name);

/** esbuild's metadata for an output file. */
interface Output {
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly imports: readonly { readonly path: string; readonly kind: string }[];
}

/** The package that a file of a bundle belongs to, by its path. */
const packageOf = (path: string) => path.match(/node_modules\/((?:@[^/]+\/)?[^/]+)/)?.[1];

/** The part of a bundle that is loaded first: its code, and its source files. */
async function bundleFirst(): Promise<{ code: string; inputs: string[] }> {
  const options = ["--minify", "--splitting", "--outdir=out", "--metafile=meta.json"];
  await bundle(consumer, "entry.js", ...options);
  const meta = await Deno.readTextFile(join(consumer.folder, "meta.json"));
  const { outputs }: { outputs: Record<string, Output> } = JSON.parse(meta);
  const files = new Set(["out/entry.js"]);
  for (const file of files) {
    for (const { path, kind } of outputs[file]!.imports) {
      if (kind === "import-statement") files.add(path);
    }
  }
  const codes = Array.from(files, (file) => Deno.readTextFile(join(consumer.folder, file)));
  return {
    code: (await Promise.all(codes)).join(""),
    inputs: [...files].flatMap((file) => Object.keys(outputs[file]!.inputs)),
  };
}

/** The bundles of the package, by their paths. */
const bundles = new Map<string, string>();
for (const file of await listFiles(installed)) {
  if (file.endsWith(".js")) bundles.set(file, await Deno.readTextFile(join(installed, file)));
}
const entries = (await entryFiles()).map((file) => file.replace(/\.ts$/, ".js"));

/** The other bundles that a bundle imports statically, and all that it imports. */
const staticImport = /(?:from|^import) "(\.[^"]+)"/gm;
const anyImport = /(?:from|^import) "(\.[^"]+)"|import\("(\.[^"]+)"\)/gm;

/** A bundle, and all bundles that it imports in some way, directly or not. */
function reachedFrom(file: string, importOf: RegExp, reached = new Set<string>()): Set<string> {
  if (reached.has(file)) return reached;
  reached.add(file);
  for (const [, loaded, loadedLater] of bundles.get(file)!.matchAll(importOf)) {
    reachedFrom(join(dirname(file), (loaded ?? loadedLater)!), importOf, reached);
  }
  return reached;
}

/** The source modules in a bundle, by the comments above them. */
function modulesOf(code: string): string[] {
  const comments = code.matchAll(/^\/\/ ((?!node_modules\/)\S+\.ts)$/gm);
  return [...new Set(Array.from(comments, ([, file]) => file!))];
}

describe("the package from npm", () => {
  after(() => consumer[Symbol.asyncDispose]());

  for (const [statement, { maxBytes, brings }] of Object.entries(IMPORTS)) {
    it(`costs at most ${maxBytes} bytes for \`${statement}\``, async () => {
      await consumer.write({ "entry.js": statement });
      const { code, inputs } = await bundleFirst();
      const compressed = gzipSync(code, { level: 9 }).length;
      console.log(`${code.length} bytes minified, ${compressed} bytes with gzip`);
      assert(compressed <= maxBytes, `${compressed} bytes are too many`);
      const packages = new Set(inputs.map(packageOf));
      assertEquals([...packages].filter((other) => other && other !== name).sort(), brings);
    });
  }

  it("adds no streams for imports that only parse addresses or names", async () => {
    for (const reader of ["parseHost", "parseModelName"]) {
      await consumer.write({ "entry.js": `export { ${reader} } from "${name}";` });
      assertEquals((await bundle(consumer, "entry.js")).match(/\w*Stream\w*/g), null, reader);
    }
  });

  it("adds nothing if nothing of it is used", async () => {
    await consumer.write({
      "entry.js": `import "${name}"; import "${name}/relay"; import "${name}/mock";`,
    });
    assertEquals((await bundle(consumer, "entry.js", "--minify")).trim(), "");
  });

  it("contains the bundles for its exports, and the documents", async () => {
    const isTypes = (file: string) => file.endsWith(".d.ts");
    const packed = (await listFiles(installed)).filter((file) => !isTypes(file));
    const modules = entries.flatMap((entry) => [...reachedFrom(entry, anyImport)]);
    const documents = [...DOCUMENTS, LICENSES_FILE, "package.json"];
    assertEquals(packed, [...new Set([...modules, ...documents])].sort());
  });

  it("contains no source module twice", () => {
    const held = [...bundles.values()].flatMap(modulesOf);
    assert(held.includes("src/errors.ts"));
    assertEquals(held.filter((file, index) => held.indexOf(file) !== index), []);
  });

  it("has the same classes, whichever entry they come from", async () => {
    await consumer.write({
      "classes.js": `
        import { mockServer } from "${name}/conformance";
        import { ConfigurationError } from "${name}/mock";
        const error = await mockServer().open({ layers: [-1] }).catch((error) => error);
        console.log(error instanceof ConfigurationError);
      `,
    });
    assertEquals(await consumer.outputOf(["node", "classes.js"]), "true\n");
  });

  it("keeps the names of functions and classes from the sources", async () => {
    for (const [path, file] of Object.entries(exports)) {
      if (path === "./cli") continue; // it is a program
      const namesOf = (module: object) =>
        Object.entries(module).map(([name, value]) => [name, value?.name]);
      const source = namesOf(await import(join(ROOT, file)));
      const url = join(installed, file.replace(/\.ts$/, ".js"));
      assertEquals(namesOf(await import(url)), source);
    }
  });

  it("loads dynamic imports only when they are needed", () => {
    const loaded = (entry: string) =>
      [...reachedFrom(entry, staticImport)].flatMap((file) => modulesOf(bundles.get(file)!));
    const isOfCommand = (file: string) => /^(cli\/(?!commands|views)|src\/)/.test(file);
    assertEquals(loaded("cli/main.js").filter((file) => !isOfCommand(file)), []);
    assert(!loaded("mock/mod.js").includes("mock/control/control.ts"));
  });

  it("bundles third-party packages only in the command, with their licences", async () => {
    const isLibrary = (entry: string) => entry !== "cli/main.js";
    const library = entries.filter(isLibrary).flatMap((entry) => [
      ...reachedFrom(entry, anyImport),
    ]);
    for (const file of library) assertEquals([...bundledPackages(bundles.get(file)!)], [], file);
    const licenses = await Deno.readTextFile(join(installed, LICENSES_FILE));
    const bundled = new Set([...bundles.values()].flatMap((code) => [
      ...bundledPackages(code).keys(),
    ]));
    assert(bundled.has("log-update"));
    for (const other of bundled) assert(licenses.includes(`\n${other} `), other);
  });

  it("has complete types: none is missing or `any`", async () => {
    for (const file of (await listFiles(installed)).filter((file) => file.endsWith(".d.ts"))) {
      const text = await Deno.readTextFile(join(installed, file));
      const code = text.replaceAll(/\/\*[^]*?\*\//g, "");
      assert(!/\bany\b/.test(code), `${file} has an any`);
      for (const [, path] of code.matchAll(/from "(\.[^"]*)\.js"/g)) {
        await Deno.stat(join(installed, file, "..", `${path}.d.ts`));
      }
    }
  });
});
