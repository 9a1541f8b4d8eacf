/**
 * Whether a tag may be released, and what the release says: `deno task release v0.2.0` prints the notes,
 * or what is wrong.
 *
 *     tag ─────────────┐
 *     deno.json, jsr.json ──▶ findReleaseProblems ──▶ nothing, so publish
 *     CHANGELOG.md ────┴────▶ sectionOf ────────────▶ the notes of the release
 *
 * @module
 */

import { readDenoConfig, readJsrConfig, readText } from "./project.ts";
import { createTask } from "./task.ts";

/** The heading of what has changed since the last release. */
const UNRELEASED = "Unreleased";

/** What says which version this is, and the changelog. */
export interface ReleaseSources {
  /** The versions, by the files that tell them. */
  readonly versions: Readonly<Record<string, string>>;
  /** The text of `CHANGELOG.md`. */
  readonly changelog: string;
}

/** Reads what this repository says. */
export async function readReleaseSources(): Promise<ReleaseSources> {
  const [deno, jsr] = await Promise.all([readDenoConfig(), readJsrConfig()]);
  return {
    versions: { "deno.json": deno.version, "jsr.json": jsr.version },
    changelog: await readText("CHANGELOG.md"),
  };
}

/** The headings of the sections of a changelog: versions, newest first, and perhaps `Unreleased`. */
export function sectionNames(changelog: string): string[] {
  return Array.from(changelog.matchAll(/^## (.+)$/gm), ([, name]) => name!);
}

/** What a changelog says of a version, without its heading and comments, or `undefined` if nothing. */
export function sectionOf(changelog: string, version: string): string | undefined {
  const [, ...sections] = changelog.split(/^## /m);
  const section = sections.find((each) => each.startsWith(`${version}\n`));
  const text = section?.slice(version.length).replaceAll(/<!--[^]*?-->\n*/g, "").trim();
  return text === "" ? undefined : text;
}

/** Says what is wrong with a tag, such as `v0.2.0`: nothing, if it may be released. */
export function findReleaseProblems(
  tag: string,
  { versions, changelog }: ReleaseSources,
): string[] {
  const wanted = tag.replace(/^v/, "");
  const problems = Object.entries(versions)
    .filter(([, version]) => tag !== `v${version}`)
    .map(([file, version]) => `${file} has version ${version}: tag it v${version}, or change it`);
  if (sectionOf(changelog, wanted) === undefined) {
    problems.push(`CHANGELOG.md has nothing under "## ${wanted}": say there what has changed`);
  } else if (sectionNames(changelog).find((name) => name !== UNRELEASED) !== wanted) {
    problems.push(`CHANGELOG.md has a newer version than ${wanted}: release that one`);
  }
  if (sectionOf(changelog, UNRELEASED) !== undefined) {
    problems.push(`CHANGELOG.md has changes under "## ${UNRELEASED}": move them to "## ${wanted}"`);
  }
  return problems.map((problem) => `Cannot release ${tag}: ${problem}`);
}

if (import.meta.main) {
  const program = createTask("release")
    .description("checks whether a tag can be released, and prints what is new in it")
    .argument("<tag>", "the tag, such as v0.2.0")
    .parse(Deno.args, { from: "user" });
  const [tag] = program.processedArgs as [string];
  const sources = await readReleaseSources();
  const problems = findReleaseProblems(tag, sources);
  if (problems.length === 0) console.log(sectionOf(sources.changelog, tag.slice(1)));
  else console.error(problems.join("\n"));
  Deno.exitCode = problems.length === 0 ? 0 : 1;
}
