/**
 * Shows what the npm package holds, what it brings along, and what it costs those who bundle it.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import { entryFiles, followImports, listFiles, readDenoConfig, ROOT } from "../project.ts";
import { bundle, installWithNpm, TOOLS } from "./tarball.ts";

const KB = 1024;

/** What is imported of the package, how much it may cost, and which packages it may bring. */
const IMPORTS: Readonly<Record<string, { maxBytes: number; brings: readonly string[] }>> = {
  'export * from "@ollama-pull/kit";': { maxBytes: 24 * KB, brings: [] },
  'export { pull } from "@ollama-pull/kit";': { maxBytes: 18 * KB, brings: [] },
  'export { fetchManifest } from "@ollama-pull/kit";': { maxBytes: 11 * KB, brings: [] },
  'export { decodeProgress } from "@ollama-pull/kit";': { maxBytes: 12 * KB, brings: [] },
  'export { NdjsonDecoderStream } from "@ollama-pull/kit";': { maxBytes: 4 * KB, brings: [] },
  'export { parseHost } from "@ollama-pull/kit";': { maxBytes: 2 * KB, brings: [] },
  'export * from "@ollama-pull/kit/mock";': { maxBytes: 48 * KB, brings: ["hono"] },
  'export * from "@ollama-pull/kit/conformance";': {
    maxBytes: 144 * KB,
    brings: ["fast-check", "hono", "pure-rand"], // the last one is part of fast-check
  },
};

const { name } = await readDenoConfig();
const consumer = await installWithNpm(TOOLS.esbuild);
const installed = join(consumer.folder, "node_modules", name);

/** What a file of a bundle belongs to, by its path. */
const packageOf = (path: string) => path.match(/node_modules\/((?:@[^/]+\/)?[^/]+)/)?.[1];

describe("the package from npm", () => {
  after(() => consumer[Symbol.asyncDispose]());

  for (const [statement, { maxBytes, brings }] of Object.entries(IMPORTS)) {
    it(`costs at most ${maxBytes} bytes for \`${statement}\``, async () => {
      await consumer.write({ "entry.js": statement });
      await bundle(consumer, "entry.js", "--minify", "--outfile=out.js", "--metafile=meta.json");
      const minified = await Deno.readFile(join(consumer.folder, "out.js"));
      const compressed = gzipSync(minified, { level: 9 }).length;
      console.log(`${minified.length} bytes minified, ${compressed} bytes with gzip`);
      assert(compressed <= maxBytes, `${compressed} bytes are too many`);
      const { inputs } = JSON.parse(await Deno.readTextFile(join(consumer.folder, "meta.json")));
      const packages = new Set(Object.keys(inputs).map(packageOf));
      assertEquals([...packages].filter((other) => other && other !== name).sort(), brings);
    });
  }

  it("brings no streams to those who only read addresses or names", async () => {
    for (const reader of ["parseHost", "parseModelName"]) {
      await consumer.write({ "entry.js": `export { ${reader} } from "${name}";` });
      assertEquals((await bundle(consumer, "entry.js")).match(/\w*Stream\w*/g), null, reader);
    }
  });

  it("costs nothing where nothing of it is used", async () => {
    await consumer.write({ "entry.js": `import "${name}"; import "${name}/mock";` });
    assertEquals((await bundle(consumer, "entry.js", "--minify")).trim(), "");
  });

  it("holds the modules that its exports consist of, and what people read", async () => {
    const { files } = await followImports(await entryFiles(), ROOT);
    const isTypes = (file: string) => file.endsWith(".d.ts");
    const packed = (await listFiles(installed)).filter((file) => !isTypes(file));
    const modules = files.map((file) => file.replace(/\.ts$/, ".js"));
    const documents = [
      "CHANGELOG.md",
      "LICENSE",
      "README.md",
      "SECURITY.md",
      "cli/views/bars.svg",
      "mock/recipes/browser/page.png",
      "package.json",
    ];
    // What consists of types alone has no module.
    const missing = [...modules, ...documents].filter((file) => !packed.includes(file));
    for (const file of missing) await Deno.stat(join(installed, file.replace(/\.js$/, ".d.ts")));
    assertEquals(packed.filter((file) => ![...modules, ...documents].includes(file)), []);
  });

  it("has types that are whole: none of them leads nowhere or is `any`", async () => {
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
