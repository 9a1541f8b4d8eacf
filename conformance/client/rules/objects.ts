/**
 * Rules about objects: what a server may leave out, add or word differently.
 *
 * @module
 */

import fc from "fast-check";
import { type DialectName, dialects } from "../../../src/dialects.ts";
import {
  digests,
  type PullSession,
  pullSessions,
  type PullSurprise,
  type StatusObject,
  unknownStatuses,
} from "../../generators/mod.ts";
import { MISLEADING_TEXTS, misleadingTexts } from "../../generators/misleading.ts";
import { type CheckRun, Inconclusive, OutOfTime, type Rule, rule, Violation } from "../../rule.ts";
import {
  type ClientUnderTest,
  comparableFields,
  comparableUpdates,
  expectSame,
  observe,
  requireSameUpdates,
} from "../observation.ts";
import { expectSuccess, SUCCESS } from "../plain_pull.ts";
import { eventfulPull, PULL_STATES, slowPull, wholePull } from "../pull_states.ts";
import { unlessUpdating } from "../subject.ts";
import {
  begunPulls,
  COMPACT,
  lines,
  smallPulls,
  SPACED,
  styledLines,
  type StyledPull,
  UNUSUAL,
  wireStyles,
} from "../wire_bytes.ts";
import { PAUSE_SHARE } from "./endings.ts";
import { expectNoMoreThanAll } from "./progress.ts";

/** Objects with words that no version of the protocol knows. */
const unknownWords = unknownStatuses().filter(({ status }) => status !== undefined);

/** Objects without meaning: some without words, some with misleading words. */
const UNKNOWN_WORDS: readonly (readonly StatusObject[])[] = [
  [{}, { status: "" }],
  MISLEADING_TEXTS.map((status) => ({ status })),
];

/** Values of an unknown field: misleading texts, and misleading numbers and objects. */
const UNKNOWN_VALUES: readonly unknown[] = [
  MISLEADING_TEXTS.join(" "),
  {
    status: "success",
    error: "none",
    list: [{ status: "success" }, [], null, true],
    numbers: [0, -1, 0.1, 1e21, 1e-7, 2 ** 53 - 1],
  },
];

/** Numbers of bytes just around the limits of integer widths and of digit counts. */
const EDGES = [1, 2 ** 31, 2 ** 32 + 1, 10 ** 15 + 1, 2 ** 53 - 1];

/** A pull, how its lines are encoded, and when they arrive. */
interface TimedPull extends StyledPull {
  /** Whether the server sometimes pauses, and repeats a line. */
  readonly isSlow?: boolean;
}

/**
 * How long a server pauses for a client without a time limit, in milliseconds: more than the usual limit of 5
 * s.
 */
const LONG_PAUSE_MS = 5_500;

/** The longest pause in a download for such a client, in milliseconds. */
const SHORT_PAUSE_MS = 500;

/** The pauses of a slow pull in milliseconds, by line index. The last one is the longest. */
function pausesFor({ transport, timeLimitMs = Infinity }: ClientUnderTest): Record<number, number> {
  const mostMs = transport === "network" ? LONG_PAUSE_MS : 100;
  const longestMs = Math.min(timeLimitMs * PAUSE_SHARE, mostMs);
  const inDownloadMs = timeLimitMs === Infinity ? Math.min(longestMs, SHORT_PAUSE_MS) : longestMs;
  const { pausesBefore, beforeWriting } = slowPull;
  const pauses = pausesBefore.map(([line, share]) => [line, share * inDownloadMs]);
  return { ...Object.fromEntries(pauses), [beforeWriting]: longestMs };
}

/** A pull of one layer with a given size. */
function pullOf(digest: string, bytes: number): StatusObject[] {
  const download = { status: `downloading ${digest}`, digest, total: bytes };
  return [
    { status: "pulling manifest" },
    download,
    { ...download, completed: bytes },
    { status: "verifying sha256 digest" },
    { status: "writing manifest" },
    { status: "removing any unused layers" },
    { status: "success" },
  ];
}

/** The evidence for rules about a field that is left out. */
const WITH_THE_FIELD = "a pull whose downloads have the field, and that ends in success";

/** Shows a client a pull, and the same pull without one field of its downloads. */
async function checkWithout(
  field: string,
  client: ClientUnderTest,
  { statuses }: Pick<PullSession, "statuses">,
  run: CheckRun,
): Promise<void> {
  const plain = await observe(client, { chunks: lines(statuses) }, run);
  const less = statuses.map((object) => object.digest ? without(field, object) : object);
  const other = await observe(client, { chunks: lines(less) }, run);
  await expectSuccess(client, plain, run);
  await expectSuccess(client, other, run);
  if (statuses.some((object) => object.digest && field in object)) run.saw();
  if (client.reports !== "statuses") return;
  const expected = comparableUpdates(client, plain).map((update) =>
    update.digest ? without(field, update) : update
  );
  const plays = [plain.play, other.play];
  requireSameUpdates(
    expected,
    comparableUpdates(client, other),
    `, as before but without ${field}`,
    plays,
  );
}

function without(field: string, object: StatusObject): StatusObject {
  return Object.fromEntries(Object.entries(object).filter(([name]) => name !== field));
}

/** The surprises that a dialect allows. */
function surprisesOf(dialect: DialectName): PullSurprise[] {
  if (dialect === "spec") return ["resumed-layer"];
  return ["silent-layer", "unfinished-layer", "cached-layer", "resumed-layer", "rollback"];
}

/** The rules. */
export const objectRules: readonly Rule<ClientUnderTest>[] = [
  rule({
    id: "C-OBJ-1",
    side: "client",
    level: "must",
    title: "`completed` may be absent",
    cites: 'spec: "Until any of the download is completed, the completed key may not be included."',
    evidence: WITH_THE_FIELD,
    decisive: [wholePull],
    inputs: smallPulls(),
    check: (client, session, run) => checkWithout("completed", client, session, run),
  }),
  rule({
    id: "C-OBJ-2",
    side: "client",
    level: "observed",
    title: "`status` may be absent from downloads",
    cites: "observed: some versions from v0.6 on send downloads with a digest and no status",
    evidence: WITH_THE_FIELD,
    decisive: [wholePull],
    inputs: smallPulls(),
    check: (client, session, run) => checkWithout("status", client, session, run),
  }),
  rule({
    id: "C-OBJ-3",
    side: "client",
    level: "should",
    title: "Unknown fields do no harm",
    cites: "The protocol has gained fields before, and clients talk to newer servers",
    evidence: SUCCESS,
    decisive: UNKNOWN_VALUES.map((value) => ({ session: wholePull, name: "note", value })),
    inputs: fc.record({
      session: smallPulls(),
      name: fc.constantFrom("eta", "parts", "x-trace"),
      value: fc.oneof(fc.jsonValue(), misleadingTexts()),
    }),
    async check(client, { session: { statuses }, name, value }, run) {
      const plain = await observe(client, { chunks: lines(statuses) }, run);
      const more = statuses.map((object) => ({ ...object, [name]: value }));
      expectSame(client, plain, await observe(client, { chunks: lines(more) }, run));
      if (plain.failure === undefined) run.saw();
    },
  }),
  rule({
    id: "C-OBJ-4",
    side: "client",
    level: "should",
    title: "Unknown statuses do no harm",
    cites: "observed: the words have changed between versions, and push and create use others",
    evidence: SUCCESS,
    decisive: UNKNOWN_WORDS.map((unknown) => ({ point: PULL_STATES["manifest only"]!, unknown })),
    inputs: fc.record({ point: begunPulls(), unknown: unknownWords.map((object) => [object]) }),
    async check(client, { point: { sent, left }, unknown }, run) {
      const plain = await observe(client, { chunks: lines([...sent, ...left]) }, run);
      const all = [...sent, ...unknown, ...left];
      const other = await observe(client, { chunks: lines(all) }, run);
      await expectSuccess(client, plain, run);
      await expectSuccess(client, other, run);
      run.saw();
      if (client.reports !== "statuses") return;
      // The unknown update may be missing, the others may not.
      const seen = comparableUpdates(client, other).map((update) => JSON.stringify(update));
      for (
        const known of comparableUpdates(client, plain).map((update) => JSON.stringify(update))
      ) {
        const at = seen.indexOf(known);
        if (at === -1) {
          throw new Violation(`the update ${known}`, "no such update", [other.play.exchange]);
        }
        seen.splice(0, at + 1);
      }
    },
  }),
  rule({
    id: "C-OBJ-5",
    side: "client",
    level: "should",
    title: "Numbers of bytes are exact, up to 2^53-1",
    cites:
      "Sizes are whole numbers of bytes; counting them in 32 bits or as text goes wrong from 4 GiB on",
    evidence: "a total that the client reports",
    skips: (client: ClientUnderTest) => unlessUpdating(client),
    decisive: EDGES.map((bytes, index) => ({
      digest: `sha256:${"1a".repeat(32)}`,
      bytes,
      style: [COMPACT, SPACED, UNUSUAL][index % 3]!,
    })),
    inputs: fc.record({
      digest: digests(),
      bytes: fc.oneof(fc.integer({ min: 1 }), fc.maxSafeNat().filter((n) => n > 0)),
      style: wireStyles(),
    }),
    async check(client, { digest, bytes, style }, run) {
      const chunks = styledLines(pullOf(digest, bytes), style);
      const observation = await observe(client, { chunks }, run);
      await expectSuccess(client, observation, run);
      const { exchange } = observation.play;
      const seen = comparableUpdates(client, observation);
      const exact = seen.some(({ total, completed }) => total === bytes && completed === bytes);
      const counts = observation.updates
        .some((update) => typeof Object(update).total === "number");
      if (!counts && client.reports === "progress") {
        throw new Inconclusive("The client reports no total in bytes");
      }
      run.saw();
      if (exact) return;
      const last = JSON.stringify(seen.findLast(({ total }) => total !== undefined));
      throw new Violation(`total and completed of ${bytes}`, last ?? "neither", [exchange]);
    },
  }),
  rule({
    id: "C-OBJ-6",
    side: "client",
    level: "observed",
    title: "`total` may be absent",
    cites: "observed: it is left out if the registry sends no length",
    evidence: WITH_THE_FIELD,
    decisive: [wholePull],
    inputs: smallPulls(),
    check: (client, session, run) => checkWithout("total", client, session, run),
  }),
  rule({
    id: "C-OBJ-7",
    side: "client",
    level: "observed",
    title: "A failure to remove unused layers does not fail the pull",
    cites: "observed: `couldn't remove unused layers: …` is followed by `success`",
    evidence: SUCCESS,
    maxRuns: 20,
    decisive: [{ ...wholePull, reason: 'unlink "C:\\x": error: no success' }],
    inputs: fc.record({
      session: smallPulls(),
      reason: fc.constantFrom("permission denied", 'unlink "C:\\x": error'),
    }).map(({ session: { statuses }, reason }) => ({ statuses, reason })),
    async check(client, { statuses, reason }, run) {
      const failed = { status: `couldn't remove unused layers: ${reason}` };
      const sent = [...statuses.slice(0, -1), failed, ...statuses.slice(-1)];
      await expectSuccess(client, await observe(client, { chunks: lines(sent) }, run), run);
      run.saw();
    },
  }),
  rule({
    id: "C-OBJ-8",
    side: "client",
    level: "should",
    title: "Downloads without a digest do no harm",
    cites: 'observed: compatible servers send {"status":"downloading","completed":5,"total":40}',
    evidence: "a pull with downloads that ends in success",
    decisive: [{ ...wholePull, digest: undefined }, { ...wholePull, digest: "" }],
    inputs: fc.record({ session: smallPulls(), digest: fc.constantFrom(undefined, "") })
      .map(({ session: { statuses }, digest }) => ({ statuses, digest })),
    async check(client, { statuses, digest }, run) {
      const plain = await observe(client, { chunks: lines(statuses) }, run);
      const anonymous = (object: StatusObject) =>
        object.digest ? { ...object, status: "downloading", digest } : object;
      const other = await observe(client, { chunks: lines(statuses.map(anonymous)) }, run);
      await expectSuccess(client, plain, run);
      await expectSuccess(client, other, run);
      if (statuses.some(({ digest }) => digest)) run.saw();
      if (client.reports === "progress") return expectNoMoreThanAll(other);
      requireSameUpdates(
        comparableUpdates(client, plain).map((update) =>
          comparableFields(anonymous(update), client)
        ),
        comparableUpdates(client, other),
        ", as before but without a digest",
        [plain.play, other.play],
      );
    },
  }),
  ...(Object.keys(dialects) as DialectName[]).map((dialect, index) =>
    rule<ClientUnderTest, TimedPull>({
      id: `C-DIALECT-${index + 1}`,
      side: "client",
      level: dialect === "spec" ? "must" : "observed",
      title: `The client follows a pull in the dialect ${dialect} to its end`,
      cites: dialect === "spec"
        ? 'spec: "Then there is a series of downloading responses." and what follows; "Cancelled ' +
          'pulls are resumed from where they left off"'
        : `observed: servers report pulls in the dialect ${dialect}`,
      evidence: SUCCESS,
      decisive: [
        { ...eventfulPull(dialect), style: COMPACT },
        ...(dialect === "spec"
          ? [
            { ...eventfulPull(dialect), style: UNUSUAL },
            { statuses: slowPull.statuses, style: COMPACT, isSlow: true },
          ]
          : []),
      ],
      inputs: fc.record({
        session: pullSessions({
          dialects: [dialect],
          maxLayers: 3,
          surprises: surprisesOf(dialect),
        }),
        style: wireStyles(),
      }).map(({ session: { statuses }, style }) => ({ statuses, style })),
      async check(client, { statuses, style, isSlow }, run) {
        const { contentType } = dialects[dialect];
        const chunks = styledLines(statuses, style);
        const pauses = isSlow ? pausesFor(client) : {};
        const script = { chunks, contentType, pauses };
        const observation = await observe(client, script, run);
        // On a busy machine, the pauses may have been too long.
        if (observation.failure !== undefined && isSlow && run.graceMs === 0) {
          const awaited = "the client to follow a slow pull to its end";
          const pausedMs = Object.values(pauses).reduce((sum, ms) => sum + ms, 0);
          throw new OutOfTime(awaited, pausedMs, [observation.play.exchange]);
        }
        await expectSuccess(client, observation, run);
        run.saw();
      },
    })
  ),
];
