import { assertEquals, assertMatch } from "@std/assert";
import { describe, it } from "node:test";
import { findObstacle, type Tool, versionOf } from "./tools.ts";

const SHELL: Tool = {
  program: "sh",
  versionArgs: ["-c", "echo 'a shell, version 1.9.2 of today' >&2"],
  hint: "get a shell",
};

describe("a program", () => {
  it("tells its version", async () => {
    assertEquals(await versionOf(SHELL), "1.9.2");
  });

  it("can be used if it is new enough, by its numbers", async () => {
    assertEquals(await findObstacle(SHELL), undefined);
    assertEquals(await findObstacle({ ...SHELL, atLeast: "1.9" }), undefined);
    assertEquals(
      await findObstacle({ ...SHELL, atLeast: "1.10" }),
      "sh 1.9.2 is too old: get a shell",
    );
  });

  it("that is missing comes with a hint how to get it", async () => {
    const obstacle = await findObstacle({ ...SHELL, program: "no-such-program" });
    assertMatch(obstacle!, /^there is no no-such-program: get a shell$/);
  });
});
