/**
 * The inputs that decide the rules for clients find every specimen without any that are drawn by chance,
 * and so in every run, whatever the seed; and there is one for each state of a pull and each event but silence.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { PULL_STATES, type PullPoint } from "../../client/pull_states.ts";
import type { ClientSubject } from "../../client/subject.ts";
import { clientRules, closeClient, openClient, runClientConformance } from "../../client/suite.ts";
import type { StatusObject } from "../../generators/mod.ts";
import { isBroken } from "../../report.ts";
import { runRule } from "../../run.ts";
import { ownClient, ownDecoder } from "../interop/own.ts";
import { smallClient } from "../mutation/small_client_subject.ts";
import { type ClientParts, correct, pullWith, TIME_LIMIT_MS } from "./client_parts.ts";
import { clientSpecimens } from "./mod.ts";

type Body = Parameters<ClientParts["read"]>[0];
type Objects = Parameters<ClientParts["watch"]>[0];

const PATIENT = { timeout: 120_000 };

/** The ids of the rules, of some, that a client breaks for the inputs that decide them. */
async function brokenBy(subject: ClientSubject, ids: readonly string[]): Promise<string[]> {
  const client = await openClient(subject);
  try {
    const broken: string[] = [];
    for (const rule of clientRules.filter(({ id }) => ids.includes(id))) {
      const result = await runRule(rule, client, { runs: 0, seed: 1, shrinkTimeMs: 0 });
      if (isBroken(result)) broken.push(rule.id);
    }
    return broken;
  } finally {
    await closeClient(client);
  }
}

describe("the inputs that decide", () => {
  for (const { name, breaks, subject } of clientSpecimens) {
    it(`find one that ${name}`, PATIENT, async () => {
      assertEquals((await brokenBy(subject, breaks)).sort(), [...breaks].sort());
    });
  }
});

/** Rules that take their time, which is not for what is drawn by chance. */
const IS_SLOW = /^C-(TIME|CANCEL)-/;

describe("clients that are right", () => {
  for (const subject of [smallClient, ownClient("in-process"), ownDecoder("in-process")]) {
    it(`keep every rule with ten seeds: ${subject.name}`, PATIENT, async () => {
      const rules = clientRules.map(({ id }) => id).filter((id) => !IS_SLOW.test(id));
      for (let seed = 0; seed < 10; seed++) {
        const { results } = await runClientConformance(subject, { rules, seed, runs: 3 });
        assertEquals(results.filter(isBroken).map(({ id, failure }) => [id, failure]), []);
      }
    });
  }
});

/** The rules about what may happen in a state, by what happens. */
const RULES_OF_EVENTS = {
  "the stream ends": "C-END-1",
  "half a line comes": "C-END-2",
  "the connection breaks": "C-END-3",
  "an error line comes": "C-ERR-1",
  "an error comes before the rest": "C-ERR-3",
  "an error object comes": "C-ERR-4",
  "a line comes that is no JSON": "C-FRAME-8",
};

/** A client that takes whatever goes wrong for success, but only in one state of a pull. */
function forgivingIn({ sent }: PullPoint): ClientSubject {
  return {
    name: "forgiving",
    reports: "statuses",
    transport: "in-process",
    timeLimitMs: TIME_LIMIT_MS,
    pull: pullWith({
      async follow(objects, onUpdate) {
        const seen: StatusObject[] = [];
        const noted = async function* () {
          for await (const object of objects) {
            if (object.error === undefined) seen.push(object);
            yield object;
          }
        };
        try {
          await correct.follow(noted(), onUpdate);
        } catch (error) {
          if (JSON.stringify(seen) !== JSON.stringify(sent)) throw error;
        }
      },
    }),
  };
}

describe("a client that is wrong in one state of a pull", () => {
  for (const [state, point] of Object.entries(PULL_STATES)) {
    it(`is caught if it mistakes a failure for success: ${state}`, async () => {
      const rules = Object.values(RULES_OF_EVENTS)
        // An error in the first line has a rule of its own.
        .map((id) => point.sent.length === 0 && /^C-ERR-[14]/.test(id) ? "C-ERR-2" : id);
      const expected = [...new Set(rules)].sort();
      assertEquals((await brokenBy(forgivingIn(point), expected)).sort(), expected);
    });

    it(`is found if it does not wait for success: ${state}`, async () => {
      const eager: ClientSubject = {
        ...forgivingIn(point),
        pull: pullWith({
          async follow(objects, onUpdate) {
            const seen: StatusObject[] = [];
            const isThere = () => JSON.stringify(seen) === JSON.stringify(point.sent);
            await correct.follow(objects, (update) => {
              if (isThere()) onUpdate({ status: "success" });
              seen.push(update as StatusObject);
              onUpdate(update);
              if (isThere()) onUpdate({ status: "success" });
            });
          },
        }),
      };
      assertEquals(await brokenBy(eager, ["C-DONE-1"]), ["C-DONE-1"]);
    });

    it(`is found if it cannot be cancelled: ${state}`, PATIENT, async () => {
      const { timeLimitMs: _, ...patient } = forgivingIn(point);
      const deaf: ClientSubject = {
        ...patient,
        pull(run) {
          const controller = new AbortController();
          let count = 0;
          run.signal.addEventListener("abort", () => {
            if (count !== point.sent.length) controller.abort(run.signal.reason);
          });
          const follow: ClientParts["follow"] = (objects, onUpdate) =>
            correct.follow(objects, (update) => {
              count++;
              onUpdate(update);
            });
          const unlimited = { read: (body: Body) => body, watch: (objects: Objects) => objects };
          return pullWith({ ...unlimited, follow })({ ...run, signal: controller.signal });
        },
      };
      assertEquals(await brokenBy(deaf, ["C-CANCEL-1"]), ["C-CANCEL-1"]);
    });
  }
});
