/**
 * The suites of `deno task test`: which tests run, and in what. The tests of the sources run in Deno
 * and in Bun; those of the benchmark and of the repository, which use Deno's tools, and the examples
 * of the documentation run in Deno. The package as it is published is tried in every runtime, by tests
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

/** The folders whose tests are those of the package. */
const PACKAGE_FOLDERS = ["src", "mock", "conformance", "cli"];

/** The folder whose tests try the rules on what is wrong, which takes long enough to be a suite of its own. */
const ZOO_FOLDER = "conformance/lab/zoo";

/** The folder whose tests are those of the repository. */
const REPOSITORY_FOLDER = ".ci";

/** The folder whose tests try the package as it is published. */
const RUNTIMES_FOLDER = `${REPOSITORY_FOLDER}/runtimes`;

/** The folders whose tests are part of a quick run, and the tests of load that would take half of its time. */
const QUICK_FOLDERS = ["src", "mock", "cli"];
const TESTS_OF_LOAD = ["mock/load_test.ts", "src/limits_test.ts"];

/** The folder of the benchmark, which is no part of the package. */
const BENCH_FOLDER = "bench";

/** A runtime that runs tests and reports on them in JUnit's format. */
export interface TestRuntime {
  readonly name: string;
  /** The program, by its path: no runtime is on everybody's `PATH`. */
  readonly program: string;
  /** The arguments that run some tests, of which a filter may leave out a part. */
  testArgs(targets: readonly string[], reportFile: string, filter?: string): string[];
}

/**
 * What the tests of the sources may do: everything but to talk to another machine, so that an address with
 * a slip in it is seen. (Bun runs the same tests, and cannot be held back.)
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
    "--no-check", // `deno task check` has the types checked
    "--v8-flags=--expose-gc", // for tests of memory
    `--junit-path=${reportFile}`,
    ...(filter === undefined ? [] : [`--filter=${filter}`]),
    ...targets,
  ],
};

/** Deno with few inputs for each property, and test files beside each other. */
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
  /** Says what is tested where, with versions, if that is not the runtime of the tests. */
  readonly subject?: () => Promise<string>;
}

/** The version that a command prints. */
async function printedVersion(command: readonly [string, ...string[]]): Promise<string> {
  const { stdout } = await runCommand(command, { cwd: ROOT });
  return stdout.match(/\d+[.-]\d+[.-]\d+\S*/)?.[0] ?? "unknown";
}

/** The version that a program tells. */
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

/** What each suite that tries the package as it is published tries it in. */
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
    Promise.resolve([TOOLS.express, TOOLS.jest, TOOLS.msw, TOOLS.playwright].join(", ")),
  languages: toolchainsHere,
};

/** The suites that try the package as it is published. */
const publishedSuites: readonly Suite[] = Object.entries(PUBLISHED).map(([name, subject]) => ({
  name,
  runtime: deno,
  targets: [`${RUNTIMES_FOLDER}/${name}_test.ts`],
  subject,
}));

/** The tests of a quick run, which show most of what a change may break. */
export async function quickSuite(): Promise<Suite> {
  const files = await Promise.all(QUICK_FOLDERS.map((folder) => listFiles(ROOT, folder)));
  const targets = files.flat().filter((file) => isTestFile(file) && !TESTS_OF_LOAD.includes(file));
  return { name: "quick", runtime: denoQuick, targets };
}

/** The tests of a folder, but for those of another folder in it. */
async function testsOf(folder: string, exceptFolder: string): Promise<string[]> {
  const files = await listFiles(ROOT, folder);
  return files.filter((file) => isTestFile(file) && !file.startsWith(`${exceptFolder}/`));
}

/**
 * All suites, in the order in which they run: the longest first, so that none of them is left at the end.
 *
 * @param isThorough Whether the zoo is visited in Bun, too. It shows that the rules find what is wrong, with
 * the same inputs in every runtime; that they run in Bun as well is shown by the suite `bun`.
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
