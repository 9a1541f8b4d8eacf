/**
 * Shows that tests in other languages can use the mock: runs the recipes for them, in a project that has
 * installed the package from npm, where `npx` finds it.
 *
 * What the clients need is built as `deno task interop` builds it, and for both of them.
 *
 * @module
 */

import { assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { pythonPlan } from "../../conformance/lab/interop/clients/python.ts";
import { rustPlan } from "../../conformance/lab/interop/clients/rust.ts";
import { findObstacle, type ToolName, tools } from "../../conformance/lab/interop/tools.ts";
import { BUILDS, Workshop } from "../../conformance/lab/interop/workshop.ts";
import { outputOf } from "../command.ts";
import { listFiles, readText, ROOT } from "../project.ts";
import { installWithNpm } from "./tarball.ts";

/** How the recipe for a language is run. */
interface Language {
  /** The folder of the recipe. */
  readonly recipe: string;
  /** The programs that it wants. */
  readonly needs: readonly [ToolName, ...ToolName[]];
  /** Runs it, and returns what the runner has printed. */
  run(): Promise<string>;
  /** What a runner prints whose one test has passed: most of them are content with none, too. */
  readonly passed: string;
}

const PYTEST = "pytest==9.2.0";

/** What makes a project for `cargo` of the driver one for the recipe, too. */
const DEV_DEPENDENCIES = `
[dev-dependencies]
reqwest = { version = "0.12", default-features = false, features = ["json"] }
`;

const workshop = new Workshop(BUILDS);
const consumer = await installWithNpm();

/** The path of a file or a folder of the consumer. */
const pathOf = (name: string) => join(consumer.folder, name);

/** Copies a folder of the repository, or some of its files, into one of the consumer. */
async function copyFiles(source: string, target: string, ...names: string[]): Promise<void> {
  const files = names.length > 0
    ? names.map((name) => `${source}/${name}`)
    : await listFiles(ROOT, source);
  for (const file of files) {
    await consumer.write({ [target + file.slice(source.length)]: await readText(file) });
  }
}

const DRIVERS = "conformance/lab/interop/drivers";

const languages: readonly Language[] = [
  {
    recipe: "pytest",
    needs: ["python"],
    async run() {
      await copyFiles("mock/recipes/pytest", "pytest");
      const environment = await workshop.build(pythonPlan);
      const pip = [join(environment, "bin/pip"), "install", "--quiet", "--target=pytest/lib"] as const;
      await consumer.outputOf([...pip, PYTEST]);
      const env = { PYTHONPATH: pathOf("pytest/lib") };
      const pytest = [join(environment, "bin/python"), "-m", "pytest", "test_pull.py"] as const;
      return await outputOf(pytest, { cwd: pathOf("pytest"), env });
    },
    passed: "1 passed",
  },
  {
    recipe: "go",
    needs: ["go"],
    async run() {
      await copyFiles("mock/recipes/go", "go");
      await copyFiles(`${DRIVERS}/go`, "go", "go.mod", "go.sum");
      return await outputOf(["go", "test", "-v", "./..."], { cwd: pathOf("go") });
    },
    passed: "--- PASS: TestFullDiskIsReported",
  },
  {
    recipe: "junit",
    needs: ["java", "maven"],
    async run() {
      await copyFiles("mock/recipes/junit", "junit");
      await copyFiles(".ci/runtimes/languages", "junit", "pom.xml");
      return await outputOf(["mvn", "--batch-mode", "test"], { cwd: pathOf("junit") });
    },
    passed: "Tests run: 1, Failures: 0, Errors: 0, Skipped: 0",
  },
  {
    recipe: "rust",
    needs: ["cargo"],
    async run() {
      const built = await workshop.build(rustPlan);
      const files = ["Cargo.toml", "Cargo.lock", "ollama_rs.rs"];
      for (const file of files) {
        const text = await Deno.readTextFile(join(built, "src", file));
        const more = file === "Cargo.toml" ? DEV_DEPENDENCIES : "";
        await consumer.write({ [`rust/${file}`]: text + more });
      }
      await copyFiles("mock/recipes/rust", "rust/tests");
      const cargo = ["cargo", "test", "--test=pull", `--target-dir=${built}`] as const;
      return await outputOf(cargo, { cwd: pathOf("rust") });
    },
    passed: "1 passed; 0 failed",
  },
];
