import { assertEquals, assertNotEquals } from "@std/assert";
import { describe, it } from "node:test";
import { experiments } from "./experiments_test_helpers.ts";
import { rightServer, strangers } from "./mod.ts";
import { Visit } from "./test_helpers.ts";

describe("A stranger", () => {
  it("has a name of its own, and an experiment of that name", () => {
    const names = strangers.map(({ name }) => name);
    assertEquals(names.length, 30);
    assertEquals(names, Object.keys(experiments));
  });

  for (const stranger of strangers) {
    const { see, right, wrong } = experiments[stranger.name]!;

    it(`${stranger.name}, and the right server does not`, async () => {
      assertNotEquals(right, wrong);
      assertEquals(await Visit.of(rightServer, see), right);
      assertEquals(await Visit.of(stranger, see), wrong);
    });
  }
});
