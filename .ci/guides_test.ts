/**
 * Shows that the guides for contributors name what there is: files, tasks, suites and checks.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { lexer, type Token, walkTokens } from "marked";
import { describe, it } from "node:test";
import { CHECKS } from "./checks.ts";
import { listFiles, readDenoConfig, readText, ROOT } from "./project.ts";
import { allSuites } from "./suites.ts";

const GUIDES = ["ARCHITECTURE.md", "CONTRIBUTING.md"];

/** What a guide names. */
interface Named {
  /** The paths in code, in diagrams of layers and in links. */
  readonly paths: readonly string[];
  /** The words after `deno task`, of each command line. */
  readonly tasks: readonly (readonly string[])[];
}

/** The texts in code of a guide: those in a line, and the blocks with a language. */
function codeOf(guide: string): { spans: string[]; blocks: string[]; links: string[] } {
  const code = { spans: [] as string[], blocks: [] as string[], links: [] as string[] };
  walkTokens(lexer(guide), (token: Token) => {
    if (token.type === "codespan") code.spans.push(token.text);
    if (token.type === "code") code.blocks.push(token.text);
    if (token.type === "link" && !/^\w+:/.test(token.href)) code.links.push(token.href);
  });
  return code;
}

/** The paths in a diagram of layers: at the start of a line, below the folder that they are indented in. */
function pathsInDiagram(block: string): string[] {
  let folder = "";
  return Array.from(block.matchAll(/^( *)([\w.]+(?:\/|\.ts))(?= |$)/gm), ([, indent, name]) => {
    if (indent === "") folder = name!;
    return indent === "" ? name! : folder + name;
  });
}

function namedIn(guide: string): Named {
  const { spans, blocks, links } = codeOf(guide);
  const isPath = (text: string) => /^[\w.-]+(\/[\w.-]*)+$|^\w+\.(ts|md|json)$/.test(text);
  const commands = [...spans, ...blocks.flatMap((block) => block.split("\n"))];
  return {
    paths: [...spans.filter(isPath), ...blocks.flatMap(pathsInDiagram), ...links],
    tasks: commands.flatMap((line) => line.match(/(?:\bdeno|@[\d.]+) task (.+)/)?.[1] ?? [])
      .map((words) => words.split(" ")),
  };
}

/** The names that follow `deno task test` and `deno task check`, by the task. */
const namesAfter: Readonly<Record<string, readonly string[]>> = {
  test: ["quick", ...(await allSuites()).map(({ name }) => name)],
  check: Object.keys(CHECKS),
};

/** The words of a command line that stand for something that there is not. */
function unknownIn(words: readonly string[], tasks: readonly string[]): string[] {
  const [task = "", ...rest] = words;
  if (!tasks.includes(task)) return [task];
  const options = rest.findIndex((word) => word.startsWith("-"));
  const names = options === -1 ? rest : rest.slice(0, options);
  return names.filter((name) => namesAfter[task]?.includes(name) === false);
}

/** The rows of the table of tasks: the first cell of each. */
function tasksInTable(guide: string): string[][] {
  const rows = Array.from(guide.matchAll(/^\| (`[^|]+`) +\|/gm), ([, cell]) => cell!);
  return rows.flatMap((cell) => Array.from(cell.matchAll(/`([^`]+)`/g), ([, words]) => words!))
    .map((words) => words.split(" "));
}

const files = await listFiles(ROOT);
const isThere = (path: string) =>
  files.some((file) => file === path || file.startsWith(path.endsWith("/") ? path : `${path}/`));
const tasks = Object.keys((await readDenoConfig()).tasks);

for (const file of GUIDES) {
  const guide = await readText(file);
  const named = namedIn(guide);

  describe(file, () => {
    it("names files and folders that there are", () => {
      assert(named.paths.length > 5, `only ${named.paths}`);
      assertEquals(named.paths.filter((path) => !isThere(path)), []);
    });

    it("names tasks, suites and checks that there are", () => {
      const commands = [...named.tasks, ...tasksInTable(guide)];
      assertEquals(commands.flatMap((words) => unknownIn(words, tasks)), []);
    });
  });
}

describe("the table of tasks", () => {
  it("has every task", async () => {
    const named = tasksInTable(await readText("CONTRIBUTING.md")).map(([task]) => task);
    assertEquals(tasks.filter((task) => !named.includes(task)), []);
  });
});

describe("what a guide names", () => {
  it("is in code, in diagrams of layers, in links and after `deno task`", () => {
    const guide = [
      "See `src/a.ts`, `b.md` and [c](c.md), not [d](https://example.com/d) or `pull`.",
      "```text\nsrc/      what\n  pull/   where\n  e.ts    how\na ─▶ b.ts\n```",
      "```sh\nnpx --yes deno@1.2.3 task test src --filter mock\n```",
      "Or `deno task check lint`.",
    ].join("\n\n");
    assertEquals(namedIn(guide), {
      paths: ["src/a.ts", "b.md", "src/", "src/pull/", "src/e.ts", "c.md"],
      tasks: [["check", "lint"], ["test", "src", "--filter", "mock"]],
    });
  });

  it("is unknown if it is no task, or no name that a task takes", () => {
    assertEquals(unknownIn(["tests"], ["test"]), ["tests"]);
    assertEquals(unknownIn(["test", "src", "crs", "--filter", "a"], ["test"]), ["crs"]);
  });
});
