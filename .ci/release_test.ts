/**
 * Shows that the version is the same wherever it is told, and that no tag is released by mistake.
 *
 * @module
 */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import * as fc from "fast-check";
import { describe, it } from "node:test";
import { runDeno } from "./command.ts";
import { readDenoConfig, ROOT } from "./project.ts";
import {
  findReleaseProblems,
  readReleaseSources,
  type ReleaseSources,
  sectionNames,
  sectionOf,
} from "./release.ts";

const number = fc.nat({ max: 20 });
const version = fc.tuple(number, number, number).map((parts) => parts.join("."));

/** A changelog that has a section for each version. */
const changelogOf = (...names: string[]) =>
  `# Changelog\n\nWords.\n\n${names.map((name) => `## ${name}\n\n- About ${name}.\n\n`).join("")}`;

/** A repository that says the same version everywhere. */
const sourcesOf = (version: string): ReleaseSources => ({
  versions: { "deno.json": version, "jsr.json": version },
  changelog: changelogOf(version, "0.0.0-old"),
});

describe("a tag", () => {
  it("may be released if it is the version that all files tell", () => {
    fc.assert(fc.property(version, (version) => {
      assertEquals(findReleaseProblems(`v${version}`, sourcesOf(version)), []);
    }));
  });

  it("may not be released if one file tells another version", () => {
    fc.assert(fc.property(
      version,
      version,
      fc.constantFrom("deno.json", "jsr.json"),
      (version, other, file) => {
        fc.pre(version !== other);
        const { versions, changelog } = sourcesOf(version);
        const sources = { versions: { ...versions, [file]: other }, changelog };
        const [problem, ...others] = findReleaseProblems(`v${version}`, sources);
        assertStringIncludes(problem!, `Cannot release v${version}: ${file} has version ${other}:`);
        assertEquals(others, []);
      },
    ));
  });

  it("may not be released without its `v`", () => {
    assertEquals(findReleaseProblems("1.2.3", sourcesOf("1.2.3")).length, 2);
  });

  it("may not be released if the changelog says nothing of it, or something newer", () => {
    const { versions } = sourcesOf("1.2.0");
    const problemOf = (changelog: string) => findReleaseProblems("v1.2.0", { versions, changelog });
    assertMatch(problemOf(changelogOf("1.1.0")).join(), /nothing under "## 1\.2\.0"/);
    const empty = "## 1.2.0\n\n<!-- Later. -->\n\n## 1.1.0\n\n- Words.\n";
    assertMatch(problemOf(empty).join(), /nothing under "## 1\.2\.0"/);
    assertMatch(problemOf(changelogOf("1.3.0", "1.2.0")).join(), /newer version than 1\.2\.0/);
    assertMatch(problemOf(changelogOf("Unreleased", "1.2.0")).join(), /changes under "## Unrel/);
    const open = changelogOf("1.2.0").replace("## 1.2.0", "## Unreleased\n\n## 1.2.0");
    assertEquals(problemOf(open), []);
  });
});

describe("this repository", () => {
  it("has one version, and a section of CHANGELOG.md for it", async () => {
    const { version } = await readDenoConfig();
    const { versions, changelog } = await readReleaseSources();
    assertEquals([...new Set(Object.values(versions))], [version]);
    assert(sectionOf(changelog, version), `CHANGELOG.md has nothing under "## ${version}"`);
  });

  it("has a section of CHANGELOG.md for each version once", async () => {
    const names = sectionNames((await readReleaseSources()).changelog);
    assertEquals([...new Set(names)], names);
  });

  it("prints the notes of the release that its tag names, and refuses any other tag", async () => {
    const release = (tag: string) => runDeno(["run", "-A", ".ci/release.ts", tag], ROOT);
    const { stdout, stderr, ok } = await release("v99.0.0");
    assertEquals([ok, stdout], [false, ""]);
    assertMatch(stderr, /Cannot release v99\.0\.0: deno\.json has version /);
  });
});
