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
      "# tiny is not downloaded at all; its layers have 500, 20 bytes",
      `${PULL}   # read until 40 % of the model is downloaded, then Ctrl-C`,
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
      "# tiny is not downloaded at all",
      `${PULL}   # caller 1, at once`,
      `curl -N $HOST/api/pull -d '{"model":"tiny","stream":false}'   # caller 2, when 30 % of the model is downloaded`,
      "curl $HOST/api/tags   # when 45 % of the model is downloaded",
      "# caller 1: Ctrl-C when 50 % of the model is downloaded",
      "# caller 2: read to the end",
      `${PULL}   # read to the end`,
    ]);
  });
});
