/**
 * The suites of `deno task test`: which tests run, and in which runtime. The tests of the sources run in Deno
 * and in Bun; those of the benchmark and of the repository, which use Deno's tools, and the examples
 * of the documentation run in Deno. The published form of the package is tested in every runtime, by tests
 * that run in Deno.
 *
 * @module
 */

import { join } from "node:path";
import { tools, versionOf as versionOfTool } from "../conformance/lab/interop/tools.ts";
import { runCommand } from "./command.ts";
import { filesWithExamples } from "./docs.ts";
import { isTestFile, listFiles, ROOT } from "./project.ts";
import { ENGINES } from "./runtimes/browsers/engines.ts";
import { TOOLS } from "./runtimes/tarball.ts";

/** The folders with the tests of the package. */
const PACKAGE_FOLDERS = ["src", "mock", "conformance", "cli"];

/** The folder with the tests of the rules on faulty subjects, which take long enough for their own suite. */
const ZOO_FOLDER = "conformance/lab/zoo";

/** The folder with the tests of the repository. */
const REPOSITORY_FOLDER = ".ci";

/** The folder with the tests of the package in its published form. */
const RUNTIMES_FOLDER = `${REPOSITORY_FOLDER}/runtimes`;

/** The folders with the tests of a quick run, and the load tests that would take half of its time. */
const QUICK_FOLDERS = ["src", "mock", "cli"];
const TESTS_OF_LOAD = ["mock/finishing_test.ts", "mock/load_test.ts", "src/limits_test.ts"];

/** The folder of the benchmark, which is not part of the package. */
const BENCH_FOLDER = "bench";

/** A runtime that runs tests and reports on them in JUnit's format. */
export interface TestRuntime {
  readonly name: string;
  /** The path of the program. It need not be on the `PATH`. */
  readonly program: string;
  /** The arguments that run some tests, all of them or those that match a filter. */
  testArgs(targets: readonly string[], reportFile: string, filter?: string): string[];
}

/**
 * The permissions of the tests of the sources: everything except talking to other machines, so that an address with
 * a typo is noticed. (Bun runs the same tests, and has no permissions.)
 */
const ALL_BUT_OTHER_MACHINES = [
  ...["read", "write", "env", "run", "sys", "ffi", "import"].map((name) => `--allow-${name}`),
  "--allow-net=127.0.0.1,localhost,[::1],0.0.0.0",
];

function isOfPackage(target: string): boolean {
  return PACKAGE_FOLDERS.some((folder) => target === folder || target.startsWith(`${folder}/`));
}

const deno: TestRuntime = {
  name: "Deno",
  program: Deno.execPath(),
  testArgs: (targets, reportFile, filter) => [
    "test",
    ...(targets.every(isOfPackage) ? ALL_BUT_OTHER_MACHINES : ["--allow-all"]),
    "--no-check", // `deno task check` checks the types
    "--v8-flags=--expose-gc", // for memory tests
    `--junit-path=${reportFile}`,
    ...(filter === undefined ? [] : [`--filter=${filter}`]),
    ...targets,
  ],
};

/** Deno with few inputs for each property, and with parallel test files. */
const denoQuick: TestRuntime = {
  ...deno,
  testArgs: (...options) => [
    ...deno.testArgs(...options),
    "--parallel",
    "--reporter=dot",
    "--preload=.ci/few_inputs.ts",
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
    "--timeout=60000", // enough for a slow machine; Deno has no limit
    "--reporter=junit",
    `--reporter-outfile=${reportFile}`,
    ...(filter === undefined ? [] : [`--test-name-pattern=${RegExp.escape(filter)}`]),
    ...targets.map((target) => `./${target}`), // without `./` it would match names, not paths
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

/** Some tests, and the runtime that they run in. */
export interface Suite {
  readonly name: string;
  readonly runtime: TestRuntime;
  /** Folders and files, relative to the root. */
  readonly targets: readonly string[];
  /** Describes what is tested and where, with versions, if that is not the runtime of the tests. */
  readonly subject?: () => Promise<string>;
}

/** The version that a command prints. */
async function printedVersion(command: readonly [string, ...string[]]): Promise<string> {
  const { stdout } = await runCommand(command, { cwd: ROOT });
  return stdout.match(/\d+[.-]\d+[.-]\d+\S*/)?.[0] ?? "unknown";
}

/** The version of a program. */
export function versionOf(program: string): Promise<string> {
  return printedVersion([program, "--version"]);
}

/** The browsers that are on this machine, with their versions. */
async function browsersHere(): Promise<string> {
  const browsers = ENGINES.filter(({ lacks }) => lacks === undefined);
  const named = browsers.map(async ({ name, versionCommand }) =>
    `${name} ${await printedVersion(versionCommand)}`
  );
  return (await Promise.all(named)).join(", ") || "no browser";
}

/** The toolchains of other languages that are on this machine, with their versions. */
async function toolchainsHere(): Promise<string> {
  const versions = await Promise.all(
    Object.entries({ Python: tools.python, Go: tools.go, Java: tools.java, Rust: tools.cargo })
      .map(async ([name, tool]) => [name, await versionOfTool(tool)] as const),
  );
  const here = versions.filter(([, version]) => version !== undefined);
  return here.map((words) => words.join(" ")).join(", ") || "no other language";
}

/** Where each suite tests the published form of the package. */
const PUBLISHED: Readonly<Record<string, () => Promise<string>>> = {
  package: () => Promise.resolve("npm"),
  executable: async () => `one file with Bun ${await versionOf(bun.program)}`,
  published: () => Promise.resolve("registries on loopback"),
  types: () => Promise.resolve(`${TOOLS.oldestTypescript} and ${TOOLS.typescript}`),
  deno: () => Promise.resolve(`Deno ${Deno.version.deno}`),
  bun: async () => `Bun ${await versionOf(bun.program)}`,
  node: () => Promise.resolve(`Node ${Object.values(TOOLS.nodes).join(", ")}`),
  failures: async () => `Deno ${Deno.version.deno}, Bun ${await versionOf(bun.program)} and Node`,
  workers: async () => `workerd ${await versionOf(join(ROOT, "node_modules/.bin/workerd"))}`,
  browser: browsersHere,
  react: async () => `${TOOLS.react} in ${await browsersHere()}`,
  frameworks: () =>
    Promise.resolve(
      [TOOLS.express, TOOLS.hono, TOOLS.jest, TOOLS.msw, TOOLS.playwright].join(", "),
    ),
  languages: toolchainsHere,
};

/** The suites that test the published form of the package. */
const publishedSuites: readonly Suite[] = Object.entries(PUBLISHED).map(([name, subject]) => ({
  name,
  runtime: deno,
  targets: [`${RUNTIMES_FOLDER}/${name}_test.ts`],
  subject,
}));

/** The tests of a quick run, which catch most of what a change may break. */
export async function quickSuite(): Promise<Suite> {
  const files = await Promise.all(QUICK_FOLDERS.map((folder) => listFiles(ROOT, folder)));
  const targets = files.flat().filter((file) => isTestFile(file) && !TESTS_OF_LOAD.includes(file));
  return { name: "quick", runtime: denoQuick, targets };
}

/** The tests of a folder, without those of a folder in it. */
async function testsOf(folder: string, exceptFolder: string): Promise<string[]> {
  const files = await listFiles(ROOT, folder);
  return files.filter((file) => isTestFile(file) && !file.startsWith(`${exceptFolder}/`));
}

/**
 * All suites, in the order in which they run: the longest first, so that none of them runs alone at the end.
 *
 * @param isThorough Whether the zoo runs in Bun too. It shows that the rules catch faults, with
 * the same inputs in every runtime. (The suite `bun` shows anyway that the rules run in Bun.)
 */
export async function allSuites(isThorough = false): Promise<Suite[]> {
  const zoo = { name: "zoo", targets: [ZOO_FOLDER] };
  const packageTests = {
    src: ["src"],
    mock: ["mock"],
    conformance: await testsOf("conformance", ZOO_FOLDER),
    cli: ["cli"],
  };
  const packageSuites = Object.entries(packageTests).flatMap(([name, targets]) =>
    [deno, bun].map((runtime) => ({ name, runtime, targets }))
  );
  return [
    { ...zoo, runtime: deno },
    ...(isThorough ? [{ ...zoo, runtime: bun }] : []),
    ...packageSuites,
    { name: "bench", runtime: deno, targets: [BENCH_FOLDER] },
    { name: "recipes", runtime: vitest, targets: ["mock/recipes/vitest.config.mjs"] },
    { name: "examples", runtime: denoExamples, targets: await filesWithExamples() },
    ...publishedSuites,
    {
      name: "repository",
      runtime: deno,
      targets: await testsOf(REPOSITORY_FOLDER, RUNTIMES_FOLDER),
    },
  ];
}
