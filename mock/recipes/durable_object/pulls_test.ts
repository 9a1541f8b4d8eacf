/**
 * Tries the object beside this file by itself, with storage whose alarm goes off when the test says so.
 *
 * @module
 */

import { createMockServer } from "@ollama-pull/kit/mock";
import { assert, assertEquals, assertObjectMatch } from "@std/assert";
import { describe, it } from "node:test";
import type { DurableObjectState, Env, KeptPull } from "./cloudflare_stub.ts";
import { ModelPull } from "./pulls.ts";

/** What an object has stored, and its alarm. */
class StoredState implements DurableObjectState {
  pull: KeptPull | undefined;
  alarmAt = 0;
  #resolveEnded!: () => void;
  /** Resolves once the end of the pull is stored, and the alarm set. */
  readonly ended = new Promise<void>((resolve) => this.#resolveEnded = resolve);

  constructor(pull: KeptPull) {
    this.pull = pull;
  }

  readonly storage = {
    get: () => Promise.resolve(this.pull),
    put: (_: "pull", pull: KeptPull) => Promise.resolve(void (this.pull = pull)),
    deleteAll: () => Promise.resolve(void (this.pull = undefined)),
    setAlarm: (time: number) => {
      this.alarmAt = time;
      if (this.pull?.records) this.#resolveEnded();
      return Promise.resolve();
    },
  };

  readonly blockConcurrencyWhile = (work: () => Promise<void>): Promise<void> => work();
}

describe("an object of the recipe", () => {
  it("pulls on when an alarm wakes it, and forgets a pull whose end is old", async () => {
    const ollama = createMockServer({ models: ["tiny"], bytesPerSecond: 1e12 });
    await using listener = await ollama.listen();
    const hold = ollama.hold();
    const state = new StoredState({ model: "tiny" });
    const object = new ModelPull(state, { OLLAMA_HOST: listener.url } as Env);
    await hold.reached; // by nobody's request
    state.alarmAt = 0;
    await object.alarm();
    assert(state.alarmAt > Date.now(), "It must be woken again");
    hold.release();
    await state.ended;
    assertObjectMatch(state.pull!, {
      model: "tiny",
      records: [{ phase: "success" }, { end: "success" }],
    });
    await object.alarm();
    assertEquals(state.pull, undefined);
  });
});
