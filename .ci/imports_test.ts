/**
 * Shows that the package stands on its floors: no imports go round in a circle, and none climbs.
 *
 * @module
 */

import { assertArrayIncludes, assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { findCircle, findClimbs, findImports, type FloorPlan, readImports } from "./imports.ts";
import { isForTests, ROOT } from "./project.ts";

/** What each folder consists of, the lowest floor first. Rooms of one floor do not know each other. */
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
  it("are read from every file, those of types and those that wait until they are needed too", () => {
    assertEquals(imports.get(".ci/imports_test.ts"), [".ci/imports.ts", ".ci/project.ts"]);
    assertEquals(imports.get("cli/views/view.ts"), ["mod.ts"]);
    const kit = imports.get("cli/commands/conformance_trial.ts") ?? [];
    assertArrayIncludes(kit, ["conformance/client/suite.ts"]);
  });

  it("go round in no circle", () => {
    assertEquals(findCircle(imports), undefined);
  });

  for (const [folder, plan] of Object.entries(FLOOR_PLANS)) {
    it(`lead down to lower floors in ${folder || "the whole"}`, () => {
      assertEquals(findClimbs(imports, folder, plan), []);
    });
  }

  it("lead from the generators, and from their tests, to the library alone", () => {
    const isOther = (file: string) => !isGenerator(file) && !isLibrary(file);
    assertEquals(findImports(imports, isGenerator, isOther), []);
  });

  it("lead from the library and its tests to the generators at most", () => {
    const isOther = (file: string) => !isGenerator(file) && !isLibrary(file);
    assertEquals(findImports(imports, isLibrary, isOther), []);
  });

  it("lead from nothing that is published to the laboratory", () => {
    const isPublished = (file: string) => !mayUseLaboratory(file) && !isForTests(file);
    assertEquals(findImports(imports, isPublished, isLaboratory), []);
  });
});

describe("the search for circles", () => {
  it("finds one, and shows the way round", () => {
    const imports = new Map([["a", ["b", "c"]], ["b", []], ["c", ["d"]], ["d", ["b", "c"]]]);
    assertEquals(findCircle(imports), "c → d → c");
    assertEquals(findCircle(new Map([["a", ["a"]]])), "a → a");
  });

  it("takes two ways to one file for no circle", () => {
    const imports = new Map([["a", ["b", "c"]], ["b", ["d"]], ["c", ["d"]], ["d", []]]);
    assertEquals(findCircle(imports), undefined);
  });
});

describe("the search for climbs", () => {
  const plan = [["low"], ["left", "right"]];
  const climbsOf = (file: string, ...imported: string[]) =>
    findClimbs(new Map([[file, imported]]), "kit", plan);

  it("finds imports that lead up or to a room of the same floor", () => {
    assertEquals(climbsOf("kit/low/a.ts", "kit/left/b.ts"), ["kit/low/a.ts → kit/left/b.ts"]);
    assertEquals(climbsOf("kit/left/a.ts", "kit/right/b.ts"), ["kit/left/a.ts → kit/right/b.ts"]);
  });

  it("finds files that are in no room", () => {
    assertEquals(climbsOf("kit/attic/a.ts"), ["kit/attic/a.ts is in no room"]);
  });

  it("passes over imports that lead down, stay in the room or leave the house, and tests", () => {
    assertEquals(climbsOf("kit/left/a.ts", "kit/low/b.ts", "kit/left/c.ts", "src/d.ts"), []);
    assertEquals(climbsOf("kit/low/a_test.ts", "kit/left/b.ts"), []);
  });
});
