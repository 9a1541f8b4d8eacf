/**
 * Shows that what some tools force to be stated twice is stated alike.
 *
 * - `deno publish` wants the name, the version and the exports in `deno.json`.
 * - Bun takes what `deno.json` maps in `imports` from `tsconfig.json`.
 * - Deno wants the version of a package whose install script may run.
 * - Maven wants the versions of what a project uses in each `pom.xml`.
 *
 * @module
 */

import { assertArrayIncludes, assertEquals, assertMatch } from "@std/assert";
import { describe, it } from "node:test";
import { readDenoConfig, readJsrConfig, readText, readTypeScriptConfig } from "./project.ts";
import { DOCUMENTS } from "./readme.ts";

/** Where Bun finds a file of a package that Deno has installed. */
function installedPath(specifier: string): string {
  return specifier.replace(/^npm:([^@]+)@[^/]+/, "./node_modules/$1");
}

describe("the configuration", () => {
  it("gives the package one name, one version and the same exports", async () => {
    const { name, version, exports } = await readDenoConfig();
    const { license: _, ...jsr } = await readJsrConfig();
    assertEquals({ name, version, exports }, jsr);
  });

  it("names the licence that is in LICENSE", async () => {
    const { license } = await readJsrConfig();
    assertMatch(await readText("LICENSE"), new RegExp(`^${license} License\n`));
  });

  it("maps the same names for Deno and for Bun", async () => {
    const { name, exports, imports } = await readDenoConfig();
    const ownNames = Object.entries(exports).map(([path, file]) => [name + path.slice(1), [file]]);
    const mappedNames = Object.entries(imports)
      .filter(([alias]) => alias.startsWith("@std/"))
      .map(([alias, specifier]) => [alias, [installedPath(specifier)]]);
    const { compilerOptions } = await readTypeScriptConfig();
    assertEquals(compilerOptions.paths, Object.fromEntries([...ownNames, ...mappedNames]));
  });

  it("lets the install script of the Bun that is imported run, and no other", async () => {
    const { imports, allowScripts } = await readDenoConfig();
    assertEquals(allowScripts.allow, [imports["bun"]!]);
  });

  it("locks no package to the address of a registry", async () => {
    assertEquals((await readText("deno.lock")).match(/\w+:\/\/.*/g), null);
  });
});

describe("the projects in Java", () => {
  it("name one version of what both of them use", async () => {
    const versionsIn = async (file: string) =>
      new Map(
        Array.from(
          (await readText(file)).matchAll(
            /<artifactId>(.+)<\/artifactId>\s*<version>(.+)<\/version>/g,
          ),
          ([, artifact, version]) => [artifact!, version!],
        ),
      );
    const drivers = await versionsIn("conformance/lab/interop/drivers/java/pom.xml");
    const recipe = await versionsIn(".ci/runtimes/languages/pom.xml");
    const shared = [...recipe.keys()].filter((artifact) => drivers.has(artifact));
    assertArrayIncludes(shared, ["ollama4j"]);
    assertEquals(shared.map((each) => recipe.get(each)), shared.map((each) => drivers.get(each)));
  });
});

/** What names the version of Deno. */
const NAMING_DENO = [
  ...DOCUMENTS,
  ".ci/run",
  ".github/PULL_REQUEST_TEMPLATE.md",
  ".github/RELEASING.md",
  ".github/workflows/release.yml",
  ".github/workflows/scheduled.yml",
  "CONTRIBUTING.md",
];

describe("the commands for people and for machines", () => {
  for (const file of NAMING_DENO) {
    it(`start no version of Deno but the one that runs this test, in ${file}`, async () => {
      const named = (await readText(file)).matchAll(/\bdeno@(\d[\d.]*\d)/g);
      const others = Array.from(named, ([, version]) => version)
        .filter((version) => version !== Deno.version.deno);
      assertEquals(others, []);
    });
  }
});
