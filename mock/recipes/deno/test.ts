import { pullModel } from "@ollama-pull/kit";
import { createMockServer } from "@ollama-pull/kit/mock";
import { assertEquals } from "@std/assert";
import { assertSpyCalls, spy } from "@std/testing/mock";

Deno.test("a pull that is cut goes on from the half that is there", async () => {
  const { fetch, clock, requests } = createMockServer({
    models: ["llama3.2"],
    faults: [{ kind: "cut", at: { completed: "50%" }, times: 1 }],
  });
  const sleep = (ms: number, signal: AbortSignal) => clock.sleep(ms, signal); // no real time
  const onRetry = spy();

  await pullModel("llama3.2", { fetch, sleep, retries: 1, onRetry });

  assertSpyCalls(onRetry, 1);
  assertEquals(requests.map(({ outcome }) => outcome), ["faulted", "finished"]);
});
