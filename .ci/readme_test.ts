/**
 * Shows that the commands of README.md and the guides work. (Their other code is run with the examples.)
 *
 * @module
 */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { describe, it } from "node:test";
import { dirname, join } from "node:path";
import { readText, ROOT } from "./project.ts";
import { createMockServer, type Listener } from "../mock/mod.ts";
import {
  COMMAND_TESTS,
  DOCUMENTS,
  linkedFiles,
  MOCK_PORT,
  namedModules,
  shellCommands,
  typeScriptExamples,
} from "./readme.ts";

const TIMEOUT_MS = 120_000;

/** The most lines that README.md may have. */
const MAX_LINES = 160;

/** Replaces `npx --yes deno@version` with the Deno that runs this test. */
async function withOwnDeno(work: (path: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const script = `#!/bin/sh\nshift 2\nexec '${Deno.execPath()}' "$@"\n`;
    await Deno.writeTextFile(join(folder, "npx"), script, { mode: 0o755 });
    await work(`${folder}:${Deno.env.get("PATH")}`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Runs a command line to its end, or until it has printed something, and returns its output. */
async function runCommandLine(line: string, path: string, until?: RegExp): Promise<string> {
  const command = new Deno.Command("sh", {
    args: ["-c", `exec 2>&1\n${line}`],
    cwd: ROOT,
    env: { PATH: path, NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    detached: true, // in its own process group, so that a signal reaches all its children
  });
  const child = command.spawn();
  const timeout = setTimeout(() => Deno.kill(-child.pid, "SIGKILL"), TIMEOUT_MS);
  let output = "";
  let isDone = false;
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    output += text;
    if (isDone || !until?.test(output)) continue;
    isDone = true;
    Deno.kill(-child.pid, "SIGINT");
  }
  const { success, code } = await child.status;
  clearTimeout(timeout);
  assert(success || isDone, `exit code ${code}: ${output}`);
  return output;
}

/** Serves the mock of the documents, at a high rate. */
async function startMock(): Promise<Listener> {
  const server = createMockServer({
    models: ["llama3.2"],
    dialect: "v0.33",
    bytesPerSecond: 1e10,
    control: true,
  });
  return await server.listen({ port: MOCK_PORT });
}

describe("the commands in Markdown", () => {
  it("are the lines of shell code", () => {
    const markdown = [
      "Text\n\n```sh\n$ first --option # why\n# nothing but words\nsecond \\\n  --long\n```\n",
      "1. Item\n\n   ```bash\n   third\n   ```\n\n```ts\nconsole.log();\n```\n",
    ].join("\n");
    assertEquals(shellCommands(markdown), ["first --option", "second --long", "third"]);
  });
});

describe("the links in Markdown", () => {
  it("are those to files, pictures included", () => {
    const markdown =
      "[a](a.md#part), ![b](b.png), [c](https://example.com/c), [d](#d) and `[e](e)`";
    assertEquals(linkedFiles(markdown), ["a.md", "b.png"]);
  });
});

describe("the examples in Markdown", () => {
  it("are the blocks of TypeScript", () => {
    const markdown = "```ts\nfirst();\n```\n\n```sh\nsecond\n```\n\n- ```ts\n  third();\n  ```\n";
    assertEquals(typeScriptExamples(markdown), ["first();", "third();"]);
  });
});

describe("the modules in Markdown", () => {
  it("have the names at the ends of their fences", () => {
    const markdown =
      "```js ignore a.js\nfirst();\n```\n\n```ts\nsecond();\n```\n\n```\nc.js\n```\n";
    assertEquals(namedModules(markdown), { "a.js": "first();" });
  });
});

describe("README.md, with the documents that it links to,", () => {
  it("takes five minutes to read", async () => {
    const lines = (await readText("README.md")).trimEnd().split("\n");
    assert(lines.length <= MAX_LINES, `README.md has ${lines.length} lines`);
  });

  for (const document of DOCUMENTS) {
    it(`links to existing files, in ${document}`, async () => {
      const folder = dirname(join(ROOT, document));
      for (const target of linkedFiles(await readText(document))) {
        await Deno.stat(join(folder, target));
      }
    });
  }

  it("names exactly the commands that are tested", async () => {
    const texts = await Promise.all(DOCUMENTS.map(readText));
    const named = new Set(texts.flatMap(shellCommands));
    assertEquals(named, new Set(Object.keys(COMMAND_TESTS)));
  });

  for (const [line, test] of Object.entries(COMMAND_TESTS)) {
    if ("runBy" in test) {
      it(`names \`${line}\`, which ${test.runBy} runs`, async () => {
        assertStringIncludes(await readText(test.runBy), line);
      });
    } else {
      it(`names \`${line}\`, which works`, () =>
        withOwnDeno(async (path) => {
          const keepsRunning = "keepsRunningAfter" in test;
          const expected = keepsRunning ? test.keepsRunningAfter : test.prints;
          await using _mock = "withMock" in test ? await startMock() : undefined;
          const output = await runCommandLine(line, path, keepsRunning ? expected : undefined);
          assertMatch(output, expected);
        }));
    }
  }
});
