import { assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { TO_THE_END } from "./commands.ts";
import { stepsOf } from "./steps.ts";

const PULL = `curl -N $HOST/api/pull -d '{"model":"tiny","stream":true}'`;

describe("The steps of a walk", () => {
  it("can be typed one after another", () => {
    const steps = stepsOf({
      layers: [500, 20],
      commands: [
        { do: "pull", callers: [{ joinsAt: 0, leavesAt: 40, stream: true }] },
        { do: "wait", percent: 50 },
        { do: "no JSON" },
        { do: "delete" },
        { do: "publish", layer: 1 },
      ],
    }, { model: "tiny", layers: [] });
    assertEquals(steps, [
      "# nothing of tiny is there; its layers have 500, 20 bytes",
      `${PULL}   # read until there is 40 % of the model, then Ctrl-C`,
      "# wait for 50 % of the time that a whole pull takes",
      "curl -N $HOST/api/pull -d '{'",
      `curl -X DELETE $HOST/api/delete -d '{"model":"tiny"}'`,
      "# publish the model again, with a larger layer 2",
      `${PULL}   # read to the end`,
    ]);
  });

  it("name the callers where there are several", () => {
    const callers = [
      { joinsAt: 0, leavesAt: 50, stream: true },
      { joinsAt: 30, leavesAt: TO_THE_END, stream: false },
    ];
    const meanwhile = [{ at: 45, act: "list" as const }];
    const steps = stepsOf(
      { layers: [500], commands: [{ do: "pull", callers, meanwhile }] },
      { model: "tiny" },
    );
    assertEquals(steps, [
      "# nothing of tiny is there",
      `${PULL}   # caller 1, at once`,
      `curl -N $HOST/api/pull -d '{"model":"tiny","stream":false}'   # caller 2, when there is 30 % of the model`,
      "curl $HOST/api/tags   # when there is 45 % of the model",
      "# caller 1: Ctrl-C when there is 50 % of the model",
      "# caller 2: read to the end",
      `${PULL}   # read to the end`,
    ]);
  });
});
