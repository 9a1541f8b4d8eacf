/**
 * The proof that the rules bite: every specimen of the zoo breaks the rules that it says, and no other
 * one; the mock and our own client break none.
 *
 * What a specimen breaks is looked for with as many inputs as by default; that anything is not broken,
 * with fewer, and in one runtime alone. With `ZOO_RUNS=100` in the environment, as
 * `deno task test zoo --thorough` sets it, it takes as many for both, and long.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { env } from "node:process";
import { describe, it } from "node:test";
import type { ClientSubject } from "../../client/subject.ts";
import { clientSuite, closeClient, openClient, runClientConformance } from "../../client/suite.ts";
import { isBroken, type Report, type RuleResult, type SubjectInfo } from "../../report.ts";
import { DEFAULT_RUNS, type Suite, SuiteRun } from "../../run.ts";
import type { ServerSubject } from "../../server/subject.ts";
import { runServerConformance, serverSuite } from "../../server/suite.ts";
import { mocks, ownClient, ownDecoder } from "../interop/own.ts";
import { clientSpecimens, serverSpecimens, type Specimen } from "./mod.ts";

/**
 * What the inputs follow from, and another one, with which the same servers are caught. The inputs of a seed
 * are the same in every runtime: one of them tries the other. Clients are caught without any inputs by
 * chance (`decisive_test.ts`).
 */
const SEED = 1;
const IS_DENO = "Deno" in globalThis;
const OTHER_SEEDS = { server: IS_DENO ? [300] : [], client: [] };

/** How many inputs by chance have to do for what a specimen does not break, and for what is ours. */
const OTHER_RUNS = Number(env.ZOO_RUNS ?? 1);
const OWN_RUNS = {
  "in-process": Number(env.ZOO_RUNS ?? 12),
  "network": Number(env.ZOO_RUNS ?? 3),
};

/** Longer than any of these tests takes, which is longer than what runners allow by default. */
const PATIENT = { timeout: 120_000 };

/** The ids of the rules that a subject breaks. */
async function rulesBrokenBy<Subject>(
  specimen: Specimen<unknown>,
  subject: Subject & SubjectInfo,
  suite: Suite<Subject>,
  seed: number,
): Promise<string[]> {
  const results: RuleResult[] = [];
  const run = new SuiteRun(suite, subject, { seed, runs: OTHER_RUNS, shrinkTimeMs: 0 });
  await run.prepare();
  for (const rule of run.rules) {
    const runs = specimen.breaks.includes(rule.id) ? DEFAULT_RUNS : OTHER_RUNS;
    const result = await run.tryRule(rule, runs);
    results.push(result);
  }
  return results.filter(isBroken).map(({ id }) => id);
}

async function withClient<Result>(
  client: ClientSubject,
  work: (opened: Awaited<ReturnType<typeof openClient>>) => Promise<Result>,
): Promise<Result> {
  const opened = await openClient(client);
  try {
    return await work(opened);
  } finally {
    await closeClient(opened);
  }
}

/** The part of a suite that a specimen breaks. */
function partOf<Subject>(specimen: Specimen<unknown>, suite: Suite<Subject>): Suite<Subject> {
  return { ...suite, rules: suite.rules.filter(({ id }) => specimen.breaks.includes(id)) };
}

const sorted = (ids: readonly string[]) => [...ids].sort();

/** Registers what is to be shown of the specimens of one side. */
function describeSpecimens<Subject, Open extends SubjectInfo>(
  specimens: readonly Specimen<Subject>[],
  suite: Suite<Open>,
  open: <Result>(subject: Subject, work: (opened: Open) => Promise<Result>) => Promise<Result>,
): void {
  describe(`the ${suite.side}s of the zoo`, () => {
    it("break every rule", () => {
      const broken = new Set(specimens.flatMap(({ breaks }) => breaks));
      assertEquals(suite.rules.map(({ id }) => id).filter((id) => !broken.has(id)), []);
    });

    it("have a name each", () => {
      assertEquals(new Set(specimens.map(({ name }) => name)).size, specimens.length);
    });

    for (const specimen of specimens) {
      it(
        `one that ${specimen.name} breaks ${specimen.breaks.join(", ")} only`,
        PATIENT,
        async () => {
          const broken = await open(
            specimen.subject,
            (opened) =>
              rulesBrokenBy(specimen, opened, IS_DENO ? suite : partOf(specimen, suite), SEED),
          );
          assertEquals(sorted(broken), sorted(specimen.breaks));
        },
      );
    }

    for (const seed of OTHER_SEEDS[suite.side]) {
      it(`are caught with the seed ${seed}, too`, PATIENT, async () => {
        for (const specimen of specimens) {
          const broken = await open(
            specimen.subject,
            (opened) => rulesBrokenBy(specimen, opened, partOf(specimen, suite), seed),
          );
          assertEquals(sorted(broken), sorted(specimen.breaks), specimen.name);
        }
      });
    }
  });
}

describeSpecimens(clientSpecimens, clientSuite, withClient);
// Walks have specimens of their own.
const { walk: _, ...withoutWalks } = serverSuite;
describeSpecimens<ServerSubject, ServerSubject>(
  serverSpecimens,
  withoutWalks,
  (server, work) => work(server),
);

describe("a server that is wrong about what it is asked", () => {
  const sections = /^S-(REQ-\d+|ERR-([1-8]|11))$/;
  const specimens = serverSpecimens.filter(({ breaks }) => breaks.every((id) => sections.test(id)));

  it("is caught by the inputs that are tried in every run", PATIENT, async () => {
    for (const { name, breaks, subject } of specimens) {
      const options = { rules: breaks, runs: 0, seed: SEED, shrinkTimeMs: 0 };
      const { results } = await runServerConformance(subject, options);
      const broken = results.filter(isBroken).map(({ id }) => id);
      assertEquals(sorted(broken), sorted(breaks), name);
    }
  });
});

/** What is to blame for each rule that a specimen breaks, if it is another rule. */
function causesIn({ results }: Report): string[] {
  return results.filter(({ because }) => because !== undefined)
    .map(({ id, because }) => `${id} by ${because}`);
}

describe("a rule that breaks only because of another one", () => {
  const causesOf: Readonly<Record<string, readonly string[]>> = {
    "asks elsewhere": [2, 3, 4, 5, 6].map((number) => `C-REQ-${number} by C-REQ-1`),
    "takes a chunk for a line": [1, 3, 7].map((number) => `C-FRAME-${number} by C-FRAME-2`),
    "swallows errors": ["C-ERR-2 by C-ERR-1", "C-ERR-3 by C-ERR-1", "C-ERR-4 by C-ERR-1"],
    "wants layers to begin at zero": ["C-ERR-1 by C-DIALECT-1", "C-ERR-4 by C-DIALECT-1"],
    "looks for a message": ["C-HTTP-4 by C-HTTP-1"],
    "takes the end of the stream for success": [],
    "is done before the server is": ["C-END-2 by C-END-1", "C-END-3 by C-END-1"],
    "streams only when it is not told to": [
      ...["S-REQ-4", "S-REQ-5", "S-REQ-6", "S-REQ-7", "S-REQ-8"],
      ...["S-REQ-9", "S-REQ-10", "S-REQ-11"],
      ...["S-FRAME-1", "S-FRAME-3", "S-FRAME-4", "S-SEQ-1"],
    ].map((id) => `${id} by S-REQ-2`),
    "always streams": [],
  };
  for (const [name, causes] of Object.entries(causesOf)) {
    it(`is said of one that ${name}`, PATIENT, async () => {
      const client = clientSpecimens.find((specimen) => specimen.name === name);
      const server = serverSpecimens.find((specimen) => specimen.name === name);
      const { breaks } = client ?? server!;
      const options = { seed: SEED, rules: breaks, runs: OWN_RUNS["in-process"] };
      const report = client
        ? await runClientConformance(client.subject, options)
        : await runServerConformance(server!.subject, options);
      assertEquals(sorted(causesIn(report)), sorted(causes));
    });
  }
});

/** What a report says of rules that are not kept. */
function notKept({ results }: Report): string[] {
  return results.filter(({ verdict }) => verdict !== "kept")
    .map(({ id, verdict, failure, reason }) => `${id} ${verdict}: ${failure?.seen ?? reason}`);
}

const NO_WIRE = "S-HTTP-1 skipped: It runs in this process, without a network connection";

/** What some dialects break or do not show, because the servers that speak them do not. */
const LIKE_THE_REAL_ONE: Readonly<Record<string, readonly string[]>> = {
  "mock (client2)": [
    NO_WIRE,
    "S-FRAME-1 broken: no newline",
    "S-FRAME-3 broken: text/plain; charset=utf-8",
  ],
  "mock (tensor)": [
    NO_WIRE,
    "S-DOWN-4 not seen: No input showed a download with the digest of a layer",
    "S-OTHER-2 not seen: The server does not report downloads by layer digest",
    "S-AGAIN-1 not seen: No input showed a downloaded layer that is reported again",
    "S-AGAIN-4 not seen: No line reports the layer",
  ],
};

describe("the mock", () => {
  for (const mock of mocks) {
    it(`as ${mock.name} breaks no rule and shows what each of them is about`, PATIENT, async () => {
      const report = await runServerConformance(mock, {
        seed: SEED,
        runs: OWN_RUNS["in-process"],
      });
      assertEquals(notKept(report), LIKE_THE_REAL_ONE[mock.name] ?? [NO_WIRE]);
    });
  }
});

/** Of what our clients do not do, nothing is tried. */
const NOT_FORWARDING =
  "The client does not report the server's statuses: if it does, set `--reports statuses`";
const NOT_AGGREGATING =
  "The client reports no progress over all layers: if it does, set `--reports progress`";
const UNLIMITED = "The client has no time limit: if it has one, set `--client-time-limit`";

/** In process, the kit compresses nothing. */
const compressing = (transport: ClientSubject["transport"]) =>
  transport === "network" ? [] : ["C-HTTP-6 skipped: Answers in process are not compressed"];

describe("our own client", () => {
  for (const transport of ["in-process", "network"] as const) {
    it(
      `as pull (${transport}) breaks no rule and shows what each of them is about`,
      PATIENT,
      async () => {
        const report = await runClientConformance(ownClient(transport), {
          seed: SEED,
          runs: OWN_RUNS[transport],
        });
        assertEquals(notKept(report), [
          `C-FRAME-1 skipped: ${NOT_FORWARDING}`,
          ...compressing(transport),
        ]);
      },
    );

    it(
      `as decodePull (${transport}) breaks no rule and skips what it does not do`,
      PATIENT,
      async () => {
        const options = { seed: SEED, runs: OWN_RUNS[transport] };
        const report = await runClientConformance(ownDecoder(transport), options);
        assertEquals(notKept(report), [
          ...compressing(transport),
          ...[1, 2, 5].map((number) => `C-TIME-${number} skipped: ${UNLIMITED}`),
          ...[1, 2, 3, 4, 5, 6].map((number) => `C-SUM-${number} skipped: ${NOT_AGGREGATING}`),
        ]);
      },
    );
  }
});
