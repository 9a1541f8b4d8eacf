import { assert, assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "node:test";
import { CannotRun } from "../rule.ts";
import type { RunOptions } from "../run.ts";
import { type ClientSubject, commandClient } from "./subject.ts";
import { runClientConformance } from "./suite.ts";

/** Runs a command of the shell as a client. Its model is `$0`. */
async function pull(script: string, signal: AbortSignal = new AbortController().signal) {
  const updates: unknown[] = [];
  await commandClient(["sh", "-c", script]).pull({
    host: "http://127.0.0.1:9",
    fetch: () => Promise.reject(new Error("A command makes its own requests")),
    model: "tiny",
    signal,
    onUpdate: (update) => updates.push(update),
  });
  return updates;
}

describe("commandClient", () => {
  it("gets the address in OLLAMA_HOST and the model as its last argument", async () => {
    const updates = await pull('echo "{\\"host\\":\\"$OLLAMA_HOST\\",\\"model\\":\\"$0\\"}"');
    assertEquals(updates, [{ host: "http://127.0.0.1:9", model: "tiny" }]);
  });

  it("treats each line as an update, except blank ones", async () => {
    assertEquals(await pull(`printf '{"a":1}\\n\\n{"b":2}\\nno JSON\\n3'`), [
      { a: 1 },
      { b: 2 },
      { notJson: "no JSON" },
      3,
    ]);
  });

  it("fails with what it says on standard error", async () => {
    await assertRejects(() => pull("echo it is over >&2; exit 3"), Error, "it is over");
    await assertRejects(() => pull("exit 3"), Error, "The command exited with 3");
  });

  it("is interrupted with all that it has started", async () => {
    const controller = new AbortController();
    const start = performance.now();
    const pulling = pull("sleep 30; echo {}", controller.signal);
    setTimeout(() => controller.abort(), 50);
    await assertRejects(() => pulling, Error);
    assert(performance.now() - start < 5_000);
  });

  it("cannot run what is not there", async () => {
    const absent = commandClient(["no-such-program-anywhere"]);
    await assertRejects(() => runClientConformance(absent), CannotRun, "no-such-program-anywhere");
  });

  it("is started seldom by default", async () => {
    let pulls = 0;
    const { pull: _, ...description } = commandClient(["sh"]);
    const counted: ClientSubject = {
      ...description,
      async pull({ host, fetch, model }) {
        pulls++;
        await fetch(`${host}/api/pull`, { method: "POST", body: JSON.stringify({ model }) });
        throw new Error("not today");
      },
    };
    const inputsOf = async (options: RunOptions) => {
      const report = await runClientConformance(counted, { rules: ["C-END-1"], ...options });
      return report.results[0]!.runs;
    };
    const decisive = await inputsOf({ runs: 1 }) - 1;
    pulls = 0;
    assertEquals(await inputsOf({}), decisive + 4);
    assertEquals(pulls, 1 + decisive + 4); // the plain pull, too
    assertEquals(await inputsOf({ runs: 3 }), decisive + 3);
  });
});
