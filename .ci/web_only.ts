/**
 * Holds the library (`mod.ts` and `src/`) to what browsers, workers and every server runtime have in
 * common: it must type-check where nothing but the web library is known, for a page and for a worker,
 * and must import nothing but its own files.
 *
 * @module
 */

import { followImports, isForTests, listFiles, readDenoConfig, typeCheck } from "./project.ts";

const WEB_LIBRARIES = {
  page: ["esnext", "dom", "dom.iterable", "dom.asynciterable"],
  worker: ["esnext", "webworker", "webworker.iterable", "webworker.asynciterable"],
};

/** The files of the library below a root. */
async function libraryFiles(root: string): Promise<string[]> {
  const files = await listFiles(root, "src");
  return ["mod.ts", ...files.filter((file) => file.endsWith(".ts") && !isForTests(file))];
}

/** Returns what the library below a root uses beyond the web's own means: nothing, if all is well. */
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
