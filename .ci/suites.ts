/**
 * The suites of `deno task test`: which tests run, and in what. The tests of the package run in Deno
 * and in Bun; those of the repository, which use Deno's tools, and the examples of the documentation
 * run in Deno.
 *
 * @module
 */

import { join } from "node:path";
import { filesWithExamples } from "./docs.ts";
import { ROOT } from "./project.ts";

/** The folders whose tests are those of the package. */
const PACKAGE_FOLDERS = ["src", "mock", "conformance"];

/** The folder whose tests are those of the repository. */
const REPOSITORY_FOLDER = ".ci";

/** All folders that have tests. */
export const TEST_FOLDERS: readonly string[] = [...PACKAGE_FOLDERS, REPOSITORY_FOLDER];

/** A runtime that runs tests and reports on them in JUnit's format. */
export interface TestRuntime {
  readonly name: string;
  /** The program, by its path: no runtime is on everybody's `PATH`. */
  readonly program: string;
  /** The arguments that run some tests, of which a filter may leave out a part. */
  testArgs(targets: readonly string[], reportFile: string, filter?: string): string[];
}

const deno: TestRuntime = {
  name: "Deno",
  program: Deno.execPath(),
  testArgs: (targets, reportFile, filter) => [
    "test",
    "--allow-all",
    "--no-check", // `deno task check` has the types checked
    `--junit-path=${reportFile}`,
    ...(filter === undefined ? [] : [`--filter=${filter}`]),
    ...targets,
  ],
};

const denoExamples: TestRuntime = {
  ...deno,
  testArgs: (...options) => [
    ...deno.testArgs(...options),
    "--doc",
    "--preload=.ci/mute_console.ts",
  ],
};

const bun: TestRuntime = {
  name: "Bun",
  program: join(ROOT, "node_modules/.bin/bun"),
  testArgs: (targets, reportFile, filter) => [
    "test",
    "--timeout=60000", // as long as a slow machine may need; Deno has no limit
    "--reporter=junit",
    `--reporter-outfile=${reportFile}`,
    ...(filter === undefined ? [] : [`--test-name-pattern=${RegExp.escape(filter)}`]),
    ...targets.map((target) => `./${target}`), // without `./` it is part of a name, not a path
  ],
};

const vitest: TestRuntime = {
  name: "Vitest",
  program: join(ROOT, "node_modules/.bin/vitest"),
  testArgs: ([config], reportFile, filter) => [
    "run",
    `--config=${config}`,
    "--reporter=default",
    "--reporter=junit",
    `--outputFile=${reportFile}`,
    ...(filter === undefined ? [] : [`--testNamePattern=${RegExp.escape(filter)}`]),
  ],
};

/** Some tests and the runtime that they run in. */
export interface Suite {
  readonly name: string;
  readonly runtime: TestRuntime;
  /** Folders and files, from the top of the repository. */
  readonly targets: readonly string[];
}

/** All suites, in the order in which they run. */
export async function allSuites(): Promise<Suite[]> {
  const packageSuites = [deno, bun].flatMap((runtime) =>
    PACKAGE_FOLDERS.map((folder) => ({ name: folder, runtime, targets: [folder] }))
  );
  return [
    ...packageSuites,
    { name: "recipes", runtime: vitest, targets: ["mock/recipes/vitest.config.mjs"] },
    { name: "examples", runtime: denoExamples, targets: await filesWithExamples() },
    { name: "repository", runtime: deno, targets: [REPOSITORY_FOLDER] },
  ];
}
