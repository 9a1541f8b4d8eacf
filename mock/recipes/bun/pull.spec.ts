import { createMockServer } from "@ollama-pull/kit/mock";
import { expect, test } from "bun:test";

test("a full disk is told in the last line", async () => {
  await using server = createMockServer({ models: ["tiny"], faults: [{ kind: "disk-full" }] });
  const { url } = await server.listen(); // real HTTP, closed at the end of the test

  const response = await fetch(`${url}/api/pull`, {
    method: "POST",
    body: JSON.stringify({ model: "tiny" }),
  });

  expect(response.status).toBe(200);
  expect(await response.text()).toEndWith('{"error":"write blob: no space left on device"}\n');
  expect(server.requests[0]).toMatchObject({ outcome: "faulted", faults: ["disk-full"] });
});
