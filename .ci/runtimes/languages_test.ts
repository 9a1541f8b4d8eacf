/**
 * Shows that tests in other languages can use the mock: runs their recipes in a project that has
 * installed the package from npm, where `npx` finds it.
 *
 * The clients are those of `deno task interop`; slow builds are shared with it.
 *
 * @module
 */

import { assertStringIncludes } from "@std/assert";
import { appendFile, cp } from "node:fs/promises";
import { basename, join } from "node:path";
import { after, describe, it } from "node:test";
import { pythonPlan } from "../../conformance/lab/interop/clients/python.ts";
import { rustPlan } from "../../conformance/lab/interop/clients/rust.ts";
import { driverPath } from "../../conformance/lab/interop/driver.ts";
import { findObstacle, type ToolName, tools } from "../../conformance/lab/interop/tools.ts";
import { BUILDS, Workshop } from "../../conformance/lab/interop/workshop.ts";
import { outputOf } from "../command.ts";
import { ROOT } from "../project.ts";
import { installWithNpm } from "./tarball.ts";

/** How the recipe for a language is run. */
interface Language {
  /** The folder of the recipe. */
  readonly recipe: string;
  /** The programs that it needs. */
  readonly needs: readonly ToolName[];
  /** The folder for its files in the project. @default the root */
  readonly into?: string;
  /** Turns a folder with a copy of the recipe into a project, and returns the output of its tests. */
  run(project: string): Promise<string>;
  /** The output if the test has passed. (Most test runners succeed even if there is no test.) */
  readonly passed: string;
}

const PYTEST = "pytest==9.2.0";

/** Options that make Maven faster for runs of a few seconds. */
const MAVEN_SOONER = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC";

/** The dependencies of the recipe for Rust besides those of the driver. */
const DEV_DEPENDENCIES = `
[dev-dependencies]
reqwest = { version = "0.12", default-features = false, features = ["json"] }
`;

const workshop = new Workshop(BUILDS);

/** Copies files into a folder. */
async function copyInto(folder: string, ...files: readonly string[]): Promise<void> {
  for (const file of files) await cp(file, join(folder, basename(file)));
}

const LANGUAGES: readonly Language[] = [
  {
    recipe: "pytest",
    needs: ["python"],
    async run(project) {
      const built = await workshop.build(pythonPlan);
      const pip = [join(built, "bin/pip"), "install", "--quiet", "--target=lib", PYTEST] as const;
      await outputOf(pip, { cwd: project });
      const env = { PYTHONPATH: join(project, "lib") };
      const pytest = [join(built, "bin/python"), "-m", "pytest", "test_pull.py"] as const;
      return await outputOf(pytest, { cwd: project, env });
    },
    passed: "1 passed",
  },
  {
    recipe: "go",
    needs: ["go"],
    async run(project) {
      await copyInto(project, driverPath("go/go.mod"), driverPath("go/go.sum"));
      return await outputOf(["go", "test", "-v"], { cwd: project });
    },
    passed: "--- PASS: TestFullDiskIsReported",
  },
  {
    recipe: "junit",
    needs: ["java", "maven"],
    async run(project) {
      await copyInto(project, join(ROOT, ".ci/runtimes/languages/pom.xml"));
      const env = { MAVEN_OPTS: MAVEN_SOONER };
      return await outputOf(["mvn", "--batch-mode", "test"], { cwd: project, env });
    },
    passed: "Tests run: 1, Failures: 0, Errors: 0, Skipped: 0",
  },
  {
    recipe: "rust",
    into: "tests",
    needs: ["cargo"],
    async run(project) {
      const built = await workshop.build(rustPlan);
      await cp(join(built, "src"), project, { recursive: true });
      await appendFile(join(project, "Cargo.toml"), DEV_DEPENDENCIES);
      const cargo = ["cargo", "test", "--test=pull", `--target-dir=${built}`] as const;
      return await outputOf(cargo, { cwd: project });
    },
    passed: "1 passed; 0 failed",
  },
];

/** Why a recipe cannot run on this machine, or `undefined` if it can. */
async function obstacleTo({ needs }: Language): Promise<string | undefined> {
  const obstacles = await Promise.all(needs.map((name) => findObstacle(tools[name])));
  return obstacles.find((obstacle) => obstacle !== undefined);
}

const consumer = await installWithNpm();

/** Runs a recipe in a project of its own. */
async function tryRecipe({ recipe, into = ".", run, passed }: Language): Promise<void> {
  const project = join(consumer.folder, recipe);
  await cp(join(ROOT, "mock/recipes", recipe), join(project, into), { recursive: true });
  assertStringIncludes(await run(project), passed);
}

const obstacles = await Promise.all(LANGUAGES.map(obstacleTo));

describe("the mock from npm", () => {
  after(() => consumer[Symbol.asyncDispose]());

  for (const [index, language] of LANGUAGES.entries()) {
    const name = `works with ${language.recipe}, as the recipe says`;
    const obstacle = obstacles[index];
    if (obstacle === undefined) {
      it(name, () => tryRecipe(language));
      continue;
    }
    // In CI, where all tests must run, this is a failure.
    it(`${name}: ${obstacle}`, { skip: !Deno.env.has("CI") }, () => {
      throw new Error(obstacle);
    });
  }
});
