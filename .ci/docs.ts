/**
 * The documentation: where it is, and what is missing according to `deno doc`.
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
 * The command is left out, because importing it runs it.
 */
export async function filesWithExamples(): Promise<string[]> {
  const command = (await readDenoConfig()).exports["./cli"]?.slice("./".length);
  const { files } = await followImports(await entryFiles(), ROOT);
  const modules = files.filter((file) => file.endsWith(".ts") && file !== command);
  const documents = (await listFiles(ROOT)).filter((file) => /^[^/]+\.md$/.test(file));
  return [...documents, ...GUIDES, ...modules];
}

/**
 * Type-checks the examples, and returns the compiler's errors. Deno adds to each example an
 * import of everything that its file exports; errors about unused imports are ignored.
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
