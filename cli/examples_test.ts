import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { main } from "./main.ts";
import { Recorder, TestContext } from "./test_helpers.ts";

/** The commands that have a help of their own, by the words that name them. */
const COMMANDS = [
  "pull",
  "demo",
  "mock",
  "conformance",
  "conformance server",
  "conformance client",
  "conformance merge",
];

/** The help of a command. */
async function helpOf(command: string): Promise<string> {
  const context = new TestContext(new Recorder());
  assertEquals(await main([...command.split(" "), "--help"], context), 0);
  return context.stdout.text;
}

/** The command lines of the examples in a help. */
function examplesIn(help: string): string[] {
  const [, block = ""] = help.match(/\nExamples:\n((?: {2}.+\n)+)/) ?? [];
  return Array.from(block.matchAll(/^ {2}(.+?) {3}/gm), ([, line]) => line!);
}

/** The command that an example calls. */
function commandIn(example: string): string {
  const called = COMMANDS.filter((command) => `${example} `.startsWith(`${command} `));
  return called.at(-1) ?? "";
}

/** The options of an example, without those of a client. */
function optionsIn(example: string): string[] {
  const [own = ""] = example.split(" -- ");
  return own.match(/--[a-z][a-z-]*/g) ?? [];
}

describe("the help of a command", () => {
  for (const command of COMMANDS) {
    it(`shows three examples, whose options there are: ${command}`, async () => {
      const examples = examplesIn(await helpOf(command));
      assert(examples.length >= 3, `only ${examples.length}`);
      for (const example of examples) {
        assert(commandIn(example).startsWith(command), `not of ${command}: ${example}`);
        const help = await helpOf(commandIn(example));
        const unknown = optionsIn(example).filter((option) => !RegExp(` ${option}\\b`).test(help));
        assertEquals(unknown, [], example);
      }
    });
  }
});
