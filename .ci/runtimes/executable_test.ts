/**
 * Shows that the executable works on a machine that has nothing else: without environment
 * variables, in an empty folder, with neither Deno nor Node on the `PATH`.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { TextLineStream } from "@std/streams";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { compile, licensesInside } from "../executable.ts";
import { readDenoConfig } from "../project.ts";

const MB = 1e6;

const { version } = await readDenoConfig();
const folder = await Deno.makeTempDir();
const file = await compile(folder);
const cwd = join(folder, "empty");
await Deno.mkdir(cwd);

/** Runs the file to its end, in an empty environment. */
async function run(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const command = new Deno.Command(file, { args, cwd, clearEnv: true, stdin: "null" });
  const { code, stdout, stderr } = await command.output();
  const utf8 = new TextDecoder();
  return { code, stdout: utf8.decode(stdout), stderr: utf8.decode(stderr) };
}

/** The output of the file, which must succeed. */
async function outputOf(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await run(...args);
  assertEquals(code, 0, stdout + stderr);
  return stdout;
}

/** Serves the mock with the file, until disposed of. It runs as long as its standard input is open. */
async function serveMock() {
  const command = new Deno.Command(file, {
    args: ["mock", "--json", "--port", "0", "--clock", "virtual"],
    cwd,
    clearEnv: true,
    stdin: "piped",
    stdout: "piped",
  });
  const mock = command.spawn();
  const lines = mock.stdout.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream())
    .getReader();
  const { url } = JSON.parse(String((await lines.read()).value));
  return {
    url: String(url),
    async [Symbol.asyncDispose]() {
      await mock.stdin.close();
      while (!(await lines.read()).done);
      assertEquals((await mock.status).code, 0);
    },
  };
}

describe("the command as one file", () => {
  after(() => Deno.remove(folder, { recursive: true }));

  it("has about 110 MB, almost all of which is Bun", async () => {
    const { size } = await Deno.stat(file);
    console.log(`${(size / MB).toFixed(1)} MB`);
    assert(size < 130 * MB, `${size} bytes are too many`);
  });

  it("knows its version and its name, and has a help text", async () => {
    assertEquals(await outputOf("--version"), `${version}\n`);
    assertMatch(await outputOf("--help"), /^Usage: ollama-pull-\S+ \[options\] \[command\]\n/);
    assertMatch(await outputOf("pull", "--help"), /--record/);
    assertEquals((await run("push")).code, 2);
  });

  it("serves the mock, pulls from it, and ends it", async () => {
    await using mock = await serveMock();
    const args = ["pull", "llama3.2", "--no-manifest", "--host", mock.url];
    assertMatch(await outputOf(...args), /\nsuccess\nllama3\.2: .+\n$/);
    const { code, stderr } = await run(...args.with(1, "nobody/has-this"));
    assertEquals(code, 1);
    assertMatch(stderr, /nobody\/has-this/);
  });

  it("runs the rules, and says which runtime it is", async () => {
    await using mock = await serveMock();
    const subject = ["--url", mock.url, "--model", "llama3.2"];
    const some = ["--rule", "S-SEQ", "--runs", "1", "--seed", "1"];
    const report = await outputOf("conformance", "server", ...subject, ...some);
    assertMatch(report, /kit on Bun /);
    assertMatch(report, /No tested rule is broken/);
  });

  it("leaves nothing in the current folder", async () => {
    assertEquals(await Array.fromAsync(Deno.readDir(cwd)), []);
  });

  it("comes with the licences of everything in it", async () => {
    const licenses = await licensesInside();
    for (const name of ["MIT License", "Bun", "commander", "hono", "fast-check", "log-update"]) {
      assert(licenses.includes(name), name);
    }
  });
});
