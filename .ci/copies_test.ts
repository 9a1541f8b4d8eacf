/**
 * Shows that facts that some tools require in two places are the same in both.
 *
 * - `deno publish` requires the name, the version and the exports in `deno.json`.
 * - Bun reads the mappings of `imports` in `deno.json` from `tsconfig.json`.
 * - Deno requires the version of a package whose install script may run.
 * - Maven requires the versions of dependencies in each `pom.xml`.
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

  it("lets only the install script of the imported Bun run", async () => {
    const { imports, allowScripts } = await readDenoConfig();
    assertEquals(allowScripts.allow, [imports["bun"]!]);
  });

  it("has no address of a registry in the lock file", async () => {
    assertEquals((await readText("deno.lock")).match(/\w+:\/\/.*/g), null);
  });
});

describe("the projects in Java", () => {
  it("use the same versions of shared dependencies", async () => {
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

/** The files that name a version of Deno. */
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
    it(`start only the version of Deno that runs this test, in ${file}`, async () => {
      const named = (await readText(file)).matchAll(/\bdeno@(\d[\d.]*\d)/g);
      const others = Array.from(named, ([, version]) => version)
        .filter((version) => version !== Deno.version.deno);
      assertEquals(others, []);
    });
  }
});
