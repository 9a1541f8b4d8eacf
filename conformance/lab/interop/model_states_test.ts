import { assertEquals } from "@std/assert";
import { it } from "node:test";
import { EXPECTED, walkWithMock } from "./model_states.ts";
import { SmallRegistry } from "./small_registry.ts";

it("a model goes through the same states with the mock as with a real server", async () => {
  const registry = new SmallRegistry();
  await registry.listen();
  try {
    assertEquals(await walkWithMock(registry), EXPECTED);
  } finally {
    await registry.close();
  }
});
