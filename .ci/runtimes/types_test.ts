/**
 * Compiles what users write against the types of the npm package, with the oldest TypeScript that is
 * supported and the newest, and with no more libraries than every browser has. Then bundles a program to
 * CommonJS, as extensions of editors are, and runs it.
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

/** The compilers, by the names under which they are installed. */
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

/** What examples import that npm does not have under that name, as far as they use it. */
const OTHER_MODULES = `
declare module "@std/assert" {
  export function assertEquals<Value>(actual: Value, expected: Value): void;
  export function assertRejects(
    run: () => PromiseLike<unknown>,
    error: new (...parameters: never[]) => Error,
    message?: string,
  ): Promise<Error>;
}
declare module "bun:test" {
  export function test(name: string, run: () => Promise<void>): void;
}
`;

/** What makes a module of an example that imports and exports nothing. */
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

/** Options that fit the oldest browsers, with everything checked, the types of all packages included. */
const COMPILER_OPTIONS = {
  strict: true,
  noEmit: true,
  skipLibCheck: false,
  target: "es2022",
  lib: ["es2022", "dom"],
  types: [],
};

/** How projects differ. Each way to resolve modules is tried with one kind of optional fields. */
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

/** Compiles some files, which must have no errors. */
async function compile(compiler: string, options: object, files: string[]): Promise<void> {
  const compilerOptions = { ...COMPILER_OPTIONS, ...options };
  await consumer.write({ "tsconfig.json": { compilerOptions, files } });
  await consumer.outputOf(["node", `node_modules/${compiler}/bin/tsc`]);
}

describe("the types of the package from npm", () => {
  after(() => consumer[Symbol.asyncDispose]());

  it("come with examples, in README.md and in the documentation of every entry", () => {
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

    it(`have what \`await using\` needs where the library knows it, with ${version}`, async () => {
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

  it("belong to a program that runs when it is bundled to CommonJS, as extensions of editors are", async () => {
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
