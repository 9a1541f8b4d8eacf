/**
 * Rules about objects: what a server may leave out, add, and say in other words.
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
import { type CheckRun, Inconclusive, type Rule, rule, Violation } from "../../rule.ts";
import {
  type ClientUnderTest,
  comparableFields,
  comparableUpdates,
  expectSame,
  observe,
  requireSameUpdates,
} from "../observation.ts";
import { expectSuccess, SUCCESS } from "../plain_pull.ts";
import { unlessUpdating } from "../subject.ts";
import { lines, smallPulls } from "../wire_bytes.ts";
import { expectNoMoreThanAll } from "./progress.ts";

/** Objects with words that no version of the protocol knows. */
const unknownWords = unknownStatuses().filter(({ status }) => status !== undefined);

/** Puts an object into a pull, neither before the first one nor after the last. */
function insert(
  statuses: readonly StatusObject[],
  object: StatusObject,
  place: number,
): StatusObject[] {
  const at = 1 + place % Math.max(1, statuses.length - 1);
  return [...statuses.slice(0, at), object, ...statuses.slice(at)];
}

/** A pull of one layer of a size. */
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

/** The evidence of rules about a field that is left out. */
const WITH_THE_FIELD = "a pull whose downloads have the field, and that ends in success";

/** Shows a client a pull, and the same one without a field of its downloads. */
async function checkWithout(
  field: string,
  client: ClientUnderTest,
  { statuses }: PullSession,
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
    inputs: smallPulls(),
    check: (client, session, run) => checkWithout("status", client, session, run),
  }),
  rule({
    id: "C-OBJ-3",
    side: "client",
    level: "should",
    title: "Unknown fields do no harm",
    cites: "The protocol has gained fields before, and a client meets newer servers",
    evidence: SUCCESS,
    inputs: fc.tuple(smallPulls(), fc.constantFrom("eta", "parts", "x-trace"), fc.jsonValue()),
    async check(client, [{ statuses }, name, value], run) {
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
    cites:
      "observed: the words have changed from version to version, and push and create send others",
    evidence: SUCCESS,
    inputs: fc.tuple(smallPulls(), unknownWords, fc.nat()),
    async check(client, [{ statuses }, unknown, place], run) {
      const plain = await observe(client, { chunks: lines(statuses) }, run);
      const sent = insert(statuses, unknown, place);
      const other = await observe(client, { chunks: lines(sent) }, run);
      await expectSuccess(client, plain, run);
      await expectSuccess(client, other, run);
      run.saw();
      if (client.reports !== "statuses") return;
      // The unknown one may be left out, the others may not.
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
      "Sizes are integers of bytes; what counts them in 32 bits or as text is wrong from 4 GiB on",
    evidence: "a total that the client reports",
    skips: (client: ClientUnderTest) => unlessUpdating(client),
    inputs: fc.tuple(
      digests(),
      fc.oneof(fc.integer({ min: 1 }), fc.maxSafeNat().filter((n) => n > 0)),
    ),
    async check(client, [digest, bytes], run) {
      const statuses = pullOf(digest, bytes);
      const observation = await observe(client, { chunks: lines(statuses) }, run);
      await expectSuccess(client, observation, run);
      const { exchange } = observation.play;
      const seen = comparableUpdates(client, observation);
      const exact = seen.some(({ total, completed }) => total === bytes && completed === bytes);
      const counts = seen.some(({ total }) => total !== undefined);
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
    cites: "observed: it is left out if the registry gave no length",
    evidence: WITH_THE_FIELD,
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
    inputs: smallPulls(),
    async check(client, { statuses }, run) {
      const failed = { status: "couldn't remove unused layers: permission denied" };
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
    inputs: fc.tuple(smallPulls(), fc.constantFrom(undefined, "")),
    async check(client, [{ statuses }, digest], run) {
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
    rule<ClientUnderTest, PullSession>({
      id: `C-DIALECT-${index + 1}`,
      side: "client",
      level: dialect === "spec" ? "must" : "observed",
      title: `A pull in the dialect ${dialect} is followed to its end`,
      cites: dialect === "spec"
        ? 'spec: "Then there is a series of downloading responses." and what follows; "Cancelled ' +
          'pulls are resumed from where they left off"'
        : `observed: servers report pulls in the dialect ${dialect}`,
      evidence: SUCCESS,
      inputs: pullSessions({
        dialects: [dialect],
        maxLayers: 3,
        surprises: surprisesOf(dialect),
      }),
      async check(client, { statuses }, run) {
        await expectSuccess(client, await observe(client, { chunks: lines(statuses) }, run), run);
        run.saw();
      },
    })
  ),
];
