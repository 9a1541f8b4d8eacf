import { readFile } from "node:fs/promises";
import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { describeInvocation, PACKAGE, quoteArgument, type Start } from "./invocation.ts";

const start: Start = {
  execPath: "/usr/bin/deno",
  script: "/kit/cli/main.ts",
  moduleUrl: "file:///kit/cli/invocation.ts",
  directory: "/kit",
  env: {},
};

describe("describeInvocation", () => {
  it("names the task, where deno runs one", () => {
    const env = { npm_config_user_agent: "deno/2.9.6 npm/? deno/2.9.6 linux x86_64" };
    assertEquals(describeInvocation({ ...start, env }), "deno task");
  });

  it("names the task and npx, where npx has fetched the deno that runs it", () => {
    const env = {
      npm_config_user_agent: "npm/11.19.1 node/v20.20.2 linux x64",
      npm_command: "exec",
    };
    assertEquals(describeInvocation({ ...start, env }), "npx deno task");
  });

  it("names the runtime and the script otherwise", () => {
    assertEquals(describeInvocation(start), "deno run -A cli/main.ts");
    const bun = { ...start, execPath: "/opt/bun", directory: "/elsewhere" };
    assertEquals(describeInvocation(bun), "bun /kit/cli/main.ts");
  });

  it("names the package, where npx, bunx or Deno fetch it", () => {
    const script = "/app/node_modules/.bin/ollama-pull";
    const node = { ...start, execPath: "/usr/bin/node", script };
    const by = (agent: string) => ({ npm_command: "exec", npm_config_user_agent: agent });
    assertEquals(describeInvocation({ ...node, env: by("npm/11") }), "npx @ollama-pull/kit");
    assertEquals(describeInvocation({ ...node, env: by("bun/1.4") }), "bunx @ollama-pull/kit");
    const moduleUrl = "https://jsr.io/@ollama-pull/kit/0.1.0/cli/invocation.ts";
    assertEquals(
      describeInvocation({ ...start, moduleUrl }),
      "deno run --allow-net --allow-env jsr:@ollama-pull/kit/cli",
    );
  });

  it("names no path inside of a package", () => {
    const paths = [
      "/app/node_modules/.bin/ollama-pull",
      "C:\\a\\node_modules\\@ollama-pull\\kit\\main.js",
    ];
    for (const script of paths) {
      const invocation = describeInvocation({ ...start, execPath: "/usr/bin/node", script });
      assertEquals(invocation, "npx @ollama-pull/kit");
    }
  });

  it("names the command, where npm has linked one for everybody", () => {
    const script = "/usr/local/bin/ollama-pull";
    assertEquals(
      describeInvocation({ ...start, execPath: "/usr/bin/node", script }),
      "ollama-pull",
    );
  });

  it("names an executable as its file is called now", () => {
    for (const root of ["/$bunfs/root", "/B:/~BUN/root"]) {
      const moduleUrl = `file://${root}/built-as`;
      const executable = { ...start, script: `${root}/built-as`, moduleUrl };
      const execPath = "/opt/called.exe";
      assertEquals(describeInvocation({ ...executable, execPath }), "called");
    }
  });

  it("knows the name of the package", async () => {
    const manifest = new URL("../deno.json", import.meta.url);
    assertEquals(JSON.parse(await readFile(manifest, "utf8")).name, PACKAGE);
  });
});

describe("quoteArgument", () => {
  it("leaves plain words, and quotes all else for a shell", () => {
    assertEquals(quoteArgument("hf.co/a/b:Q4_K_M"), "hf.co/a/b:Q4_K_M");
    assertEquals(quoteArgument("a b"), "'a b'");
    assertEquals(quoteArgument("it's $HOME"), "'it'\\''s $HOME'");
    assertEquals(quoteArgument(""), "''");
  });
});
