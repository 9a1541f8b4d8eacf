/**
 * Compiles what users write against the types of the npm package, with the oldest TypeScript that is
 * supported and the newest, and with no more libraries than every browser has. Then bundles a program to
 * CommonJS, as extensions of editors are, and runs it.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { readText } from "../project.ts";
import { typeScriptExamples } from "../readme.ts";
import { bundle, installWithNpm, TOOLS } from "./tarball.ts";

const COMPILERS = {
  "the oldest TypeScript": TOOLS.oldestTypescript,
  "the newest TypeScript": TOOLS.typescript,
};

const consumer = await installWithNpm(
  ...Object.entries({ oldest: TOOLS.oldestTypescript, newest: TOOLS.typescript }).map(
    ([alias, wanted]) => `${alias}@npm:${wanted}`,
  ),
  TOOLS.esbuild,
  "ollama@0.6.4",
);

/** Everything that a user may write, and what must be an error. */
const USES = `
import {
  decodeProgress,
  decodePull,
  isSameModel,
  NdjsonDecoderStream,
  NdjsonEncoderStream,
  parseHost,
  parseModelName,
  pull,
  PullError,
  pullModel,
  PullProgressStream,
  type PullStream,
  PullStatusStream,
} from "@ollama-pull/kit";
import { createMockServer, type MockServer } from "@ollama-pull/kit/mock";

declare const process: { env: Record<string, string | undefined> };

export async function use(body: ReadableStream<Uint8Array>, signal: AbortSignal | undefined) {
  const host = process.env["OLLAMA_HOST"];
  for await (const { fraction } of pull("m", { host, signal })) fraction.toFixed();
  for await (const status of decodePull(body)) if (status.kind === "error") status.error.length;
  for await (const { completed } of decodeProgress(body, { onMalformed: undefined })) completed.toFixed();
  for await (const value of new NdjsonDecoderStream().readable) void value;
  for await (const bytes of new NdjsonEncoderStream().readable) bytes.length;
  for await (const { kind } of new PullStatusStream().readable) kind.length;
  for await (const { layers } of new PullProgressStream().readable) layers.length;
  const progress: PullStream<{ readonly fraction: number }> = pull("m");
  for await (const { fraction } of progress.values({ preventCancel: true })) fraction.toFixed();
  const [a, b] = progress.tee();
  await a.pipeTo(new WritableStream());
  await b.pipeThrough(new NdjsonEncoderStream()).cancel();
  await new Response(new NdjsonEncoderStream().readable).text();

  await pullModel("m", {
    host: undefined,
    path: undefined,
    insecure: undefined,
    headers: undefined,
    fetch: undefined,
    signal: undefined,
    stallTimeoutMs: undefined,
    retries: undefined,
    onRetry: undefined,
    sleep: undefined,
    random: undefined,
    now: undefined,
    layers: undefined,
    maxLineBytes: undefined,
    onMalformed: undefined,
    onProgress: undefined,
    stream: undefined,
  });
  const wrapper = (input: string | URL, init?: RequestInit) =>
    fetch(input, { ...init, headers: { ...init?.headers, "x-key": "1" } });
  const server: MockServer = createMockServer({ dialect: undefined, faults: undefined });
  for (const fetch of [wrapper, globalThis.fetch, server.fetch]) await pullModel("m", { fetch });
  await (await server.listen({ port: undefined })).close();

  const url: URL = parseHost(new URL("http://localhost"));
  const { tag, source } = parseModelName("llama3.2");
  const isSame: boolean = isSameModel(tag, source ?? "");
  const code: string | undefined = PullError.from(JSON.parse("{}"))?.code;
  // @ts-expect-error -- an option that there is not
  pull("m", { retry: 5 });
  // @ts-expect-error -- a fraction is a number
  for await (const { fraction } of pull("m")) fraction.length;
  // @ts-expect-error -- bytes, not text
  decodePull(new ReadableStream<string>());
  return { url, isSame, code };
}
`;

/** The packages that examples import and that only Deno knows by these names. */
const DENO_ONLY = `
declare module "@std/assert" {
  export function assertEquals(actual: unknown, expected: unknown): void;
  export function assertRejects(
    run: () => Promise<unknown>,
    error: new (...parameters: never[]) => Error,
    message: string,
  ): Promise<Error>;
}
declare module "bun:test" {
  export function test(name: string, run: () => Promise<void>): void;
}
`;

const EXAMPLES = typeScriptExamples(await readText("README.md"));

describe("the types of the package from npm", () => {
  after(() => consumer[Symbol.asyncDispose]());

  for (const [name, version] of Object.entries(COMPILERS)) {
    const alias = version === TOOLS.typescript ? "newest" : "oldest";
    for (const exactOptionalPropertyTypes of [true, false]) {
      const how = exactOptionalPropertyTypes ? "exact" : "other";
      it(`fit README.md's examples and all uses, with ${version}, ${name}, and ${how} optional fields`, async () => {
        const files = {
          "types/uses.ts": USES,
          "types/deno_only.d.ts": DENO_ONLY,
          ...Object.fromEntries(
            EXAMPLES.map((
              example,
              index,
            ) => [`types/example_${index}.ts`, `${example}\nexport {};\n`]),
          ),
        };
        await Deno.mkdir(join(consumer.folder, "types"), { recursive: true });
        const compilerOptions = {
          strict: true,
          exactOptionalPropertyTypes,
          noEmit: true,
          skipLibCheck: false,
          target: "es2022",
          lib: ["es2022", "dom"],
          types: [],
          module: "esnext",
          moduleResolution: "bundler",
        };
        await consumer.write({
          ...files,
          "tsconfig.types.json": { compilerOptions, files: Object.keys(files) },
        });
        const compiler = `node_modules/${alias}/bin/tsc`;
        await consumer.outputOf(["node", compiler, "--project", "tsconfig.types.json"]);
      });
    }
  }

  it("leave a program that runs when it is bundled to CommonJS, as extensions of editors are", async () => {
    await consumer.write({
      "extension.ts": `
        import { pull } from "@ollama-pull/kit";
        import { createMockServer } from "@ollama-pull/kit/mock";
        async function activate() {
          const { fetch } = createMockServer({ models: ["llama3.2"] });
          let last = {};
          for await (const { phase, fraction } of pull("llama3.2", { fetch })) last = { phase, fraction };
          console.log(JSON.stringify(last));
        }
        void activate();
      `,
    });
    await bundle(consumer, "extension.ts", "--format=cjs", "--platform=node", "--outfile=out.cjs");
    const output = await consumer.outputOf(["node", "out.cjs"]);
    assertEquals(JSON.parse(output), { phase: "success", fraction: 1 });
  });
});
