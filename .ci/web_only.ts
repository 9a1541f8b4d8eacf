/**
 * Checks that the client (`mod.ts` and `src/`) uses only what browsers, workers and all server runtimes have in
 * common: it must type-check with only the web's type library, for a page and for a worker,
 * and must import only its own files.
 *
 * @module
 */

import { followImports, isForTests, listFiles, readDenoConfig, typeCheck } from "./project.ts";

const WEB_LIBRARIES = {
  page: ["esnext", "dom", "dom.iterable", "dom.asynciterable"],
  worker: ["esnext", "webworker", "webworker.iterable", "webworker.asynciterable"],
};

/** The files of the client below a root. */
async function libraryFiles(root: string): Promise<string[]> {
  const files = await listFiles(root, "src");
  return ["mod.ts", ...files.filter((file) => file.endsWith(".ts") && !isForTests(file))];
}

/** Lists what the client below a root uses besides the web platform: nothing, if all is well. */
export async function findNonWebUses(root: string): Promise<string[]> {
  const { compilerOptions } = await readDenoConfig();
  const files = await libraryFiles(root);
  const [graph, ...objections] = await Promise.all([
    followImports(files, root),
    ...Object.values(WEB_LIBRARIES).map((lib) =>
      typeCheck(files, root, { compilerOptions: { ...compilerOptions, lib, types: [] } })
    ),
  ]);
  const outside = graph.files.filter((file) => file !== "mod.ts" && !file.startsWith("src/"));
  return [
    ...objections.flat(),
    ...[...graph.foreign, ...outside].map((name) => `The library imports ${name}`),
  ];
}
