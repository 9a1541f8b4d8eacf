import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { describeInvocation, quoteArgument } from "./invocation.ts";

const start = {
  execPath: "/usr/bin/deno",
  script: "/kit/cli/main.ts",
  directory: "/kit",
  env: {},
};

describe("describeInvocation", () => {
  it("names the task, where deno runs one", () => {
    const env = { npm_config_user_agent: "deno/2.9.6 npm/? deno/2.9.6 linux x86_64" };
    assertEquals(describeInvocation({ ...start, env }), "deno task");
  });

  it("names the runtime and the script otherwise", () => {
    assertEquals(describeInvocation(start), "deno run -A cli/main.ts");
    const bun = { ...start, execPath: "/opt/bun", directory: "/elsewhere" };
    assertEquals(describeInvocation(bun), "bun /kit/cli/main.ts");
  });

  it("names the command, where npm has linked one", () => {
    const script = "/app/node_modules/.bin/ollama-pull";
    assertEquals(
      describeInvocation({ ...start, execPath: "/usr/bin/node", script }),
      "ollama-pull",
    );
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
