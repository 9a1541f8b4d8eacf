/**
 * Shows that the permissions in the tasks of `deno.json` are those that the commands need: with exactly these
 * flags each of them works, and without one of them it ends with one line that names the flag.
 *
 * @module
 */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { after, describe, it } from "node:test";
import { createMockServer } from "../mock/mod.ts";
import { type CommandResult, runCommand } from "./command.ts";
import { readText, ROOT } from "./project.ts";

const listener = await createMockServer({ models: ["tiny"], bytesPerSecond: 1e12 }).listen();

/** Where the commands of this test find a server, and what else they see. */
const ENV = { OLLAMA_HOST: listener.url, OLLAMA_PULL_REGISTRY: listener.url, TERM: "xterm" };

/** For each task, arguments with which the command needs as much as it may. */
const ARGUMENTS: Readonly<Record<string, readonly string[]>> = {
  demo: [],
  pull: ["tiny"],
  mock: ["--port", "0", "--json", "--config", ".ci/no_such_set_up.json"],
  conformance: ["server", "--url", listener.url, "--model", "tiny", "--rule", "S-SEQ-1"],
};

/** The command in a terminal, which needs more. */
const ON_TERMINAL = `
  import { main } from "./cli/main.ts";
  import { createProcessContext } from "./cli/process_context.ts";
  const stdout = { isTTY: true, columns: 80, rows: 24, write: () => true };
  Deno.exit(await main(Deno.args, { ...createProcessContext(), stdout }));
`;

/** The permissions of a task, a flag for each variable. */
async function flagsOf(task: string): Promise<string[]> {
  const { tasks } = JSON.parse(await readText("deno.json"));
  return (tasks[task] as string).split(" ").filter((word) => word.startsWith("--allow-"))
    .flatMap((flag) => {
      const [name, values] = flag.split("=");
      return values?.split(",").map((value) => `${name}=${value}`) ?? [flag];
    });
}

/** Several flags of one kind as one, since the last one would count alone. */
function joined(flags: readonly string[]): string[] {
  const kinds = Map.groupBy(flags, (flag) => flag.split("=")[0]!);
  return Array.from(kinds, ([name, same]) => {
    const values = same.flatMap((flag) => flag.split("=")[1] ?? []);
    return values.length === 0 ? name : `${name}=${values.join(",")}`;
  });
}

const OPTIONS = ["run", "--quiet", "--no-prompt", "--no-check", "--node-modules-dir=none"];

function runTask(task: string, flags: readonly string[]): Promise<CommandResult> {
  const args = [...OPTIONS, ...joined(flags), "cli/main.ts", task, ...ARGUMENTS[task]!];
  return runCommand([Deno.execPath(), ...args], { cwd: ROOT, env: ENV });
}

/** The flags that a command can do without: they tell it how to put something. */
const isOptional = (flag: string) => flag.includes("=npm_");

/** That a command has failed for want of a permission, and says so in one line. */
function assertDenied({ ok, stderr }: CommandResult, flag: string): void {
  assert(!ok, `It works without ${flag}`);
  assertMatch(stderr, /^error: [^\n]+\n$/);
  assertStringIncludes(stderr, flag.split("=")[0]!);
}

describe("the permissions of a task", () => {
  after(() => listener.close());

  for (const task of ["pull", "conformance"]) {
    it(`are enough for ${task}`, async () => {
      const { ok, stderr } = await runTask(task, await flagsOf(task));
      assertEquals([ok, stderr], [true, ""]);
    });
  }

  it("are enough for mock to read a set-up", async () => {
    const { stderr } = await runTask("mock", await flagsOf("mock"));
    assertMatch(stderr, /no_such_set_up\.json: .*(?:ENOENT|No such file)/);
  });

  it("are named in one line where one of them is missing: the network", async () => {
    for (const task of ["demo", "pull", "conformance"]) {
      const flags = (await flagsOf(task)).filter((flag) => !flag.startsWith("--allow-net"));
      assertDenied(await runTask(task, flags), "--allow-net");
    }
  });

  it("are named in one line where one of them is missing: a file", async () => {
    const flags = (await flagsOf("mock")).filter((flag) => flag !== "--allow-read");
    assertDenied(await runTask("mock", flags), "--allow-read");
  });

  it("are named in one line where one of them is missing: any variable, in a terminal", async () => {
    const script = await Deno.makeTempFile({ suffix: ".ts" });
    await Deno.writeTextFile(script, ON_TERMINAL.replaceAll('"./', `"file://${ROOT}`));
    const flags = await flagsOf("pull");
    const run = (flags: readonly string[]) =>
      runCommand(
        [
          Deno.execPath(),
          ...OPTIONS,
          "--config=deno.json",
          ...joined(flags),
          script,
          "pull",
          "tiny",
        ],
        { cwd: ROOT, env: ENV },
      );
    assertEquals(await run(flags), { ok: true, stdout: "", stderr: "" });
    for (const left of flags) {
      const result = await run(flags.filter((flag) => flag !== left));
      if (isOptional(left)) assertEquals(result.stderr, "");
      else assertDenied(result, left);
      if (left.includes("=") && !isOptional(left)) assertStringIncludes(result.stderr, left);
    }
    await Deno.remove(script);
  });
});
