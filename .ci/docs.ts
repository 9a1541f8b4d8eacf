/**
 * The documentation: where it is, and what `deno doc` finds missing in it.
 *
 * @module
 */

import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { findProblems } from "./command.ts";
import {
  entryFiles,
  followImports,
  listFiles,
  readDenoConfig,
  ROOT,
  typeCheck,
} from "./project.ts";
import { GUIDES, typeScriptExamples } from "./readme.ts";

/** The examples in the comments of a module. */
export function docExamples(code: string): string[] {
  const comments = code.match(/\/\*\*[^]*?\*\//g) ?? [];
  return comments.flatMap((comment) =>
    typeScriptExamples(comment.slice("/**".length, -"*/".length).replaceAll(/^ *\* ?/gm, ""))
  );
}

/** Looks for exported names without documentation, and for types that are not exported. */
export async function lintDocs(): Promise<string[]> {
  return await findProblems(["doc", "--lint", ...await entryFiles()], ROOT);
}

/**
 * The files whose examples are run: all modules that users can import, the documents at the top, and the guides.
 * Left out is the command, which does its work when it is imported.
 */
export async function filesWithExamples(): Promise<string[]> {
  const command = (await readDenoConfig()).exports["./cli"]?.slice("./".length);
  const { files } = await followImports(await entryFiles(), ROOT);
  const modules = files.filter((file) => file.endsWith(".ts") && file !== command);
  const documents = (await listFiles(ROOT)).filter((file) => /^[^/]+\.md$/.test(file));
  return [...documents, ...GUIDES, ...modules];
}

/**
 * Type-checks the examples, and returns what the compiler objects to. To each example Deno adds an
 * import of all that its file exports, most of which no example uses: that alone is no objection.
 */
export async function typeCheckExamples(): Promise<string[]> {
  const { name, exports, imports, compilerOptions } = await readDenoConfig();
  const ownImports = Object.entries(exports).map((
    [path, file],
  ) => [name + path.slice(1), pathToFileURL(join(ROOT, file)).href]);
  return await typeCheck(["--doc-only", ...await filesWithExamples()], ROOT, {
    imports: { ...imports, ...Object.fromEntries(ownImports) },
    nodeModulesDir: "none",
    compilerOptions: { ...compilerOptions, noUnusedLocals: false },
  });
}
