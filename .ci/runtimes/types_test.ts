/**
 * Compiles users' code against the types of the npm package, with the oldest supported TypeScript
 * and the newest, and with only the type libraries that fit every browser. Then bundles a program to
 * CommonJS, like an editor extension, and runs it.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { docExamples } from "../docs.ts";
import { listFiles, readDenoConfig, readText } from "../project.ts";
import { DOCUMENTS, typeScriptExamples } from "../readme.ts";
import { bundle, installWithNpm, TOOLS } from "./tarball.ts";

/** The compilers, by their installed names. */
const COMPILERS = {
  "typescript-oldest": TOOLS.oldestTypescript,
  "typescript-newest": TOOLS.typescript,
};

const { name, imports } = await readDenoConfig();
const consumer = await installWithNpm(
  ...Object.entries(COMPILERS).map(([alias, wanted]) => `${alias}@npm:${wanted}`),
  TOOLS.esbuild,
  imports["ollama"]!.replace("npm:", ""), // the client in an example
);

/** What the examples use that npm does not have under that name, or TypeScript does not know. */
const OTHER_MODULES = `
declare module "@std/assert" {
  export function assertEquals<Value>(actual: Value, expected: Value): void;
  export function assertRejects(
    run: () => PromiseLike<unknown>,
    error: new (...parameters: never[]) => Error,
    message?: string,
  ): Promise<Error>;
}
declare const Deno: {
  serve(
    options: { port: number; onListen(): void },
    handler: (request: Request) => Promise<Response>,
  ): { readonly addr: { readonly port: number }; shutdown(): Promise<void> };
};
declare module "bun:test" {
  export function test(name: string, run: () => Promise<void>): void;
}
`;

/** Turns an example without imports and exports into a module. */
const MODULE = "\nexport {};\n";

/** The examples of README.md, the guides and the documentation in the types, as modules. */
async function exampleFiles(): Promise<Record<string, string>> {
  const installed = join(consumer.folder, "node_modules", name);
  const files: Record<string, string> = {};
  for (const file of await listFiles(installed)) {
    const isDocument = DOCUMENTS.includes(file);
    if (!isDocument && !file.endsWith(".d.ts")) continue;
    const text = await Deno.readTextFile(join(installed, file));
    const examples = isDocument ? typeScriptExamples(text) : docExamples(text);
    examples.forEach((example, index) => {
      files[`examples/${file.replace(/\.d\.ts$/, "")}_${index}.ts`] = example + MODULE;
    });
  }
  return files;
}

const examples = await exampleFiles();
await consumer.write({
  ...examples,
  "other_modules.d.ts": OTHER_MODULES,
  "uses.ts": await readText(".ci/runtimes/uses.ts"),
  "extension.ts": await readText(".ci/runtimes/extension.ts"),
});

/** Options for the oldest browsers, with all checks, including the types of all packages. */
const COMPILER_OPTIONS = {
  strict: true,
  noEmit: true,
  skipLibCheck: false,
  target: "es2022",
  lib: ["es2022", "dom"],
  types: [],
};

/** The kinds of projects: each module resolution is combined with one setting for optional fields. */
const PROJECTS = {
  "exact optional fields, as Node resolves modules": {
    exactOptionalPropertyTypes: true,
    module: "nodenext",
    moduleResolution: "nodenext",
  },
  "other optional fields, as bundlers resolve modules": {
    exactOptionalPropertyTypes: false,
    module: "esnext",
    moduleResolution: "bundler",
  },
};

/** Compiles files, which must have no errors. */
async function compile(compiler: string, options: object, files: string[]): Promise<void> {
  const compilerOptions = { ...COMPILER_OPTIONS, ...options };
  await consumer.write({ "tsconfig.json": { compilerOptions, files } });
  await consumer.outputOf(["node", `node_modules/${compiler}/bin/tsc`]);
}

describe("the types of the package from npm", () => {
  after(() => consumer[Symbol.asyncDispose]());

  it("have examples, in README.md and in the documentation of every entry", () => {
    for (const file of ["README.md", "mod", "mock/mod", "conformance/mod"]) {
      assert(`examples/${file}_0.ts` in examples, `${file} has no example`);
    }
  });

  for (const [compiler, version] of Object.entries(COMPILERS)) {
    for (const [project, options] of Object.entries(PROJECTS)) {
      it(`fit all examples and uses, with ${version} and ${project}`, async () => {
        const files = [...Object.keys(examples), "other_modules.d.ts", "uses.ts", "extension.ts"];
        await compile(compiler, options, files);
      });
    }

    it(`support \`await using\` if the type library does, with ${version}`, async () => {
      await consumer.write({
        "dispose.ts": `
          import { createMockServer } from "${name}/mock";
          await using server = createMockServer();
          await using listener = await server.listen();
          console.log(listener.url);
        `,
      });
      const options = { module: "nodenext", lib: [...COMPILER_OPTIONS.lib, "esnext.disposable"] };
      await compile(compiler, options, ["dispose.ts"]);
    });
  }

  it("belong to a program that runs when bundled to CommonJS, like an editor extension", async () => {
    await bundle(
      consumer,
      "extension.ts",
      "--format=cjs",
      "--platform=node",
      "--outfile=extension.cjs",
    );
    const { last, verdict } = JSON.parse(await consumer.outputOf(["node", "extension.cjs"]));
    assertEquals([last.phase, last.fraction, verdict], ["success", 1, "kept"]);
  });
});
