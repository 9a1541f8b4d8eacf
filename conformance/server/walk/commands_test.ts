import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import {
  type Abilities,
  type Command,
  eventsOf,
  isPossible,
  type Journey,
  journeys,
  type PullCommand,
  TO_THE_END,
  tour,
} from "./commands.ts";
import { simplerJourneys } from "./shrink.ts";

const ALL: Abilities = {
  isFresh: true,
  hasOther: true,
  deletes: true,
  publishes: true,
  isVirtual: true,
};
const NONE: Abilities = {
  isFresh: false,
  hasOther: false,
  deletes: false,
  publishes: false,
  isVirtual: false,
};

function pullsOf({ commands }: Journey): PullCommand[] {
  return commands.filter((command): command is PullCommand => command.do === "pull");
}

/** What there is in a walk, so that one can be said to be simpler than another. */
function sizeOf({ layers, commands }: Journey): number {
  const sizes = commands.map((command) => {
    if (command.do !== "pull") return 100;
    const callers = command.callers.map(({ leavesAt, stream }) =>
      10 + (leavesAt < TO_THE_END ? 1 : 0) + (stream ? 0 : 1)
    );
    return 100 + callers.reduce((sum, each) => sum + each, 0) +
      (command.meanwhile ?? []).length;
  });
  return layers.length + sizes.reduce((sum, each) => sum + each, 0);
}

describe("A walk", () => {
  it("has every caller join before it leaves, and leave once at most", () => {
    fc.assert(fc.property(journeys(ALL), (journey) => {
      for (const command of pullsOf(journey)) {
        const events = eventsOf(command);
        assertEquals(events, events.toSorted((a, b) => a.at - b.at));
        for (const [index, { leavesAt }] of command.callers.entries()) {
          const own = events.flatMap(({ what }) =>
            what.do !== "act" && what.caller === index ? [what.do] : []
          );
          assertEquals(own, leavesAt < TO_THE_END ? ["join", "leave"] : ["join"]);
        }
      }
    }));
  });

  it("asks for nothing that a server cannot do", () => {
    const asked = (can: Abilities) => [
      ...tour(can).flatMap(({ commands }) => commands),
      ...fc.sample(journeys(can), { numRuns: 200, seed: 1 }).flatMap(({ commands }) => commands),
    ];
    const kinds = (commands: readonly Command[]) =>
      new Set(commands.flatMap((command) => [
        command.do,
        ...(command.do === "pull" ? command.meanwhile ?? [] : []).map(({ act }) => act),
      ]));
    assert(asked(NONE).every((command) => isPossible(command, NONE)));
    assertEquals(
      kinds(asked(ALL)).difference(kinds(asked(NONE))),
      new Set(["idle", "other", "delete", "publish"]),
    );
    const leaves = (commands: readonly Command[]) =>
      commands.some((command) =>
        command.do === "pull" && command.callers.some(({ leavesAt }) => leavesAt < TO_THE_END)
      );
    assertEquals([leaves(asked(ALL)), leaves(asked(NONE))], [true, false]);
  });

  it("becomes simpler with every shorter walk that is tried for it", () => {
    fc.assert(fc.property(journeys(ALL), (journey) => {
      for (const simpler of simplerJourneys(journey)) assert(sizeOf(simpler) < sizeOf(journey));
    }));
  });
});
