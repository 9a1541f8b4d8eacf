/**
 * Shows that the layers of the package hold: no imports are circular, and none leads to a higher layer.
 *
 * @module
 */

import { assertArrayIncludes, assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { findCircle, findClimbs, findImports, type FloorPlan, readImports } from "./imports.ts";
import { isForTests, ROOT } from "./project.ts";

/** The layers of each folder, the lowest first. Members of one layer must not import each other. */
const FLOOR_PLANS: Readonly<Record<string, FloorPlan>> = {
  "": [["src"], ["mod.ts"], ["mock"], ["conformance"], ["cli"]],
  "mock": [
    ["configuration_error.ts"],
    ["runtime"],
    ["go_json", "clock"],
    ["models"],
    ["faults"],
    ["exchange"],
    ["pull"],
    ["recordings"],
    ["endpoints"],
    ["options.ts"],
    ["instance.ts", "control"],
    ["server.ts"],
    ["mod.ts"],
    ["recipes"],
  ],
  "conformance": [
    ["generators"],
    ["exchange.ts"],
    ["rule.ts"],
    ["blame.ts", "report.ts"],
    ["findings.ts"],
    ["run.ts", "reporters"],
    ["register.ts", "client", "server"],
    ["mod.ts"],
    ["lab"],
  ],
};

const inFolder = (...folders: readonly string[]) => (file: string) =>
  folders.some((folder) => file.startsWith(`${folder}/`));

const isGenerator = inFolder("conformance/generators");
const isLibrary = inFolder("src");
const isLaboratory = inFolder("conformance/lab");
const mayUseLaboratory = inFolder("conformance/lab", "bench", ".ci");

const imports = await readImports(ROOT);

describe("the imports of the repository", () => {
  it("are read from every file, including type imports and dynamic imports", () => {
    assertEquals(imports.get(".ci/imports_test.ts"), [".ci/imports.ts", ".ci/project.ts"]);
    assertEquals(imports.get("cli/views/view.ts"), ["mod.ts"]);
    const kit = imports.get("cli/commands/conformance_trial.ts") ?? [];
    assertArrayIncludes(kit, ["conformance/client/suite.ts"]);
  });

  it("are not circular", () => {
    assertEquals(findCircle(imports), undefined);
  });

  for (const [folder, plan] of Object.entries(FLOOR_PLANS)) {
    it(`lead only to lower layers in ${folder || "the repository"}`, () => {
      assertEquals(findClimbs(imports, folder, plan), []);
    });
  }

  it("lead from the generators and their tests only to `src`", () => {
    const isOther = (file: string) => !isGenerator(file) && !isLibrary(file);
    assertEquals(findImports(imports, isGenerator, isOther), []);
  });

  it("lead from `src` and its tests at most to the generators", () => {
    const isOther = (file: string) => !isGenerator(file) && !isLibrary(file);
    assertEquals(findImports(imports, isLibrary, isOther), []);
  });

  it("lead from no published file to the lab", () => {
    const isPublished = (file: string) => !mayUseLaboratory(file) && !isForTests(file);
    assertEquals(findImports(imports, isPublished, isLaboratory), []);
  });
});

describe("the search for circles", () => {
  it("finds one, and shows its path", () => {
    const imports = new Map([["a", ["b", "c"]], ["b", []], ["c", ["d"]], ["d", ["b", "c"]]]);
    assertEquals(findCircle(imports), "c → d → c");
    assertEquals(findCircle(new Map([["a", ["a"]]])), "a → a");
  });

  it("does not mistake two paths to one file for a circle", () => {
    const imports = new Map([["a", ["b", "c"]], ["b", ["d"]], ["c", ["d"]], ["d", []]]);
    assertEquals(findCircle(imports), undefined);
  });
});

describe("the search for upward imports", () => {
  const plan = [["low"], ["left", "right"]];
  const climbsOf = (file: string, ...imported: string[]) =>
    findClimbs(new Map([[file, imported]]), "kit", plan);

  it("finds imports to a higher layer or within the same one", () => {
    assertEquals(climbsOf("kit/low/a.ts", "kit/left/b.ts"), ["kit/low/a.ts → kit/left/b.ts"]);
    assertEquals(climbsOf("kit/left/a.ts", "kit/right/b.ts"), ["kit/left/a.ts → kit/right/b.ts"]);
  });

  it("finds files that are in no layer", () => {
    assertEquals(climbsOf("kit/attic/a.ts"), ["kit/attic/a.ts is in no room"]);
  });

  it("accepts imports that lead down, stay within a member or leave the repository, and tests", () => {
    assertEquals(climbsOf("kit/left/a.ts", "kit/low/b.ts", "kit/left/c.ts", "src/d.ts"), []);
    assertEquals(climbsOf("kit/low/a_test.ts", "kit/left/b.ts"), []);
  });
});
