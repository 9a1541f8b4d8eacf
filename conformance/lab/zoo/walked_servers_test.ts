/**
 * The proof that walks bite: each server that is wrong only in some state breaks the rules that it says, in
 * a walk that a person can repeat, and no other one; the servers that are right break none.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { env } from "node:process";
import { describe, it } from "node:test";
import { Findings } from "../../findings.ts";
import { OutOfTime } from "../../rule.ts";
import type { Walk } from "../../run.ts";
import { mockServer, type ServerSubject } from "../../server/subject.ts";
import { serverRules } from "../../server/suite.ts";
import { walkServer } from "../../server/walk/walks.ts";
import { mocks } from "../interop/own.ts";
import { smallServer } from "../mutation/small_server_subject.ts";
import { changeBytes } from "./server_parts.ts";
import { serverSpecimens } from "./servers.ts";
import { walkedSpecimens } from "./walked_servers.ts";

/** Longer than any of these tests takes, which is longer than what runners allow by default. */
const PATIENT = { timeout: 120_000 };

const SEEDS = env.ZOO_RUNS === undefined ? [1] : [1, 2, 3, 4, 5, 6, 7, 8];
const RUNS = Number(env.ZOO_RUNS ?? 24);

/** The rules that walks can break, as far as servers of the zoo break them. */
const WALKED =
  /^S-(SEQ|DOWN|RESUME|SHARE|LEAVE|AGAIN|OTHER|LIST)-|^S-REQ-3$|^S-FRAME-7$|^S-ERR-11$/;

async function walk(subject: ServerSubject, more: Partial<Walk> = {}): Promise<Findings> {
  const findings = new Findings();
  const rules = new Set(serverRules.map(({ id }) => id));
  // However busy the machine is, all walks that are worth making are made, and made as short as they get.
  const times = { checkTimeoutMs: 60_000, shrinkTimeMs: 60_000, virtualBudgetMs: 60_000 };
  const limits = { pullMs: 1, ...times, signal: undefined };
  await walkServer(subject, { findings, rules, runs: 1, seed: 1, ...limits, ...more });
  return findings;
}

function brokenIn(findings: Findings): string[] {
  return serverRules.map(({ id }) => id).filter((id) => findings.of(id) !== undefined);
}

/** What a person has to do to see a rule broken. */
function requestsIn(findings: Findings, id: string): string[] {
  return (findings.of(id)?.steps ?? []).filter((step) => step.startsWith("curl"));
}

describe("walks", () => {
  for (const { name, breaks, subject } of walkedSpecimens) {
    it(`find that one that ${name} breaks ${breaks.join(", ")} only`, PATIENT, async () => {
      const findings = await walk(subject);
      assertEquals(brokenIn(findings), breaks);
      for (const id of breaks) {
        const { length } = requestsIn(findings, id);
        assert(length >= 1 && length <= 4, `${length} requests`);
      }
    });
  }

  it("are shortened to what shows the breach, and are the same in every run", PATIENT, async () => {
    const specimen = walkedSpecimens.find(({ name }) => name.startsWith("shares the first"))!;
    const [first, second] = [await walk(specimen.subject), await walk(specimen.subject)];
    const pull = `curl -N $HOST/api/pull -d '{"model":"subject","stream":true}'`;
    const steps = first.of("S-SHARE-1")?.steps;
    assertEquals(steps, second.of("S-SHARE-1")?.steps);
    assertEquals(steps, [
      "# subject is not downloaded at all; its layers have 90000000, 60000000 bytes",
      `${pull}   # caller 1, at once`,
      `${pull}   # caller 2, when 70 % of the model is downloaded`,
      "# caller 1 and 2: read to the end",
      `${pull}   # read to the end`,
    ]);
  });

  for (const subject of [...mocks, smallServer]) {
    for (const seed of SEEDS) {
      it(`find nothing wrong with ${subject.name}, with the seed ${seed}`, PATIENT, async () => {
        const findings = await walk(subject, { seed, runs: RUNS });
        assertEquals(brokenIn(findings).map((id) => [id, findings.of(id)?.steps]), []);
        assert(findings.states.length > 20);
      });
    }
  }

  it("blame no server of the zoo for what it does not do", PATIENT, async () => {
    const walked = serverSpecimens.filter(({ breaks }) => breaks.some((id) => WALKED.test(id)));
    for (const { name, breaks, subject } of walked) {
      const others = brokenIn(await walk(subject)).filter((id) => !breaks.includes(id));
      assertEquals(others, [], name);
    }
  });

  it("tell of what does not come in time, and then end", PATIENT, async () => {
    const hanging = mockServer({
      wrap: ({ fetch }) => {
        let pulls = 0;
        return changeBytes(fetch, async function* (chunks) {
          const isAlone = pulls++ === 0;
          try {
            if (isAlone) yield* chunks;
            else await new Promise(() => {});
          } finally {
            pulls--;
          }
        });
      },
    });
    const findings = await walk(hanging, { checkTimeoutMs: 100 });
    assertEquals(brokenIn(findings), ["S-SHARE-1"]);
    assert(findings.of("S-SHARE-1")?.violation instanceof OutOfTime);
  });

  it("are not made for rules that they cannot break", async () => {
    const findings = await walk(smallServer, { rules: new Set(["S-ERR-1"]) });
    assertEquals(findings.states, []);
  });
});
