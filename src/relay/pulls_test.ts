import { assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { PullManager } from "../manager/manager.ts";
import { progressAt } from "../manager/test_helpers.ts";
import { settle, streamOf, VirtualClock } from "../stream_test_helpers.ts";
import { Audience } from "./audience.ts";
import { Pulls } from "./pulls.ts";
import { redactError } from "./redaction.ts";

/** The pulls of a manager, each of which ends well at once, and is kept for a second. */
function pullsWith(options: { dismissesEnded: boolean }) {
  const clock = new VirtualClock();
  const { now, sleep } = clock;
  const manager = new PullManager({ pull: () => streamOf([progressAt(100)]) });
  const pulls = new Pulls(manager, {
    audience: new Audience({ heartbeatMs: 1, idleMs: 1, now, sleep }),
    updateEveryMs: 0,
    keepEndedMs: 1_000,
    redact: redactError,
    now,
    sleep,
    ...options,
  });
  const models = () => manager.getSnapshot().entries.map(({ model }) => model);
  return { pulls, models, clock };
}

describe("Pulls", () => {
  it("dismisses what has ended once it is unknown, if that is its task", async () => {
    const { pulls, models, clock } = pullsWith({ dismissesEnded: true });
    for (const name of ["a", "b", "c"]) {
      pulls.start(name);
      await settle();
      await clock.advance(600);
    }
    assertEquals(models(), ["b", "c"]); // the first one went when the last one came
    assertEquals(pulls.find("other"), undefined);
    assertEquals(models(), ["c"]);
  });

  it("dismisses nothing of a manager of the app", async () => {
    const { pulls, models, clock } = pullsWith({ dismissesEnded: false });
    pulls.start("a");
    await settle();
    await clock.advance(1_000);
    assertEquals([pulls.find("a"), models()], [undefined, ["a"]]);
  });
});
