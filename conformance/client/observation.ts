/**
 * Answers a client's pull with a script, and records what the client reports.
 *
 * @module
 */

import type { StatusObject } from "../generators/mod.ts";
import { CannotRun, type CheckRun, Violation } from "../rule.ts";
import { within } from "./within.ts";
import type { AnswerScript, Play, ScriptedServer } from "./scripted_server.ts";
import type { ClientSubject } from "./subject.ts";

/** A client under test, and its server. */
export interface ClientUnderTest extends ClientSubject {
  /** Plays the scripts. */
  readonly server: ScriptedServer;
  /** The pulls that are still running. */
  readonly running: Set<Promise<unknown>>;
}

/** How long a client gets to process what it was sent and to report it, in milliseconds. */
const PATIENCE_MS = 5;
const NETWORK_PATIENCE_MS = 200;

/** What a client reported for a script. */
export interface Observation {
  /** The updates that it reported, in order. */
  readonly updates: readonly unknown[];
  /** Why it failed, or `undefined` if it reported success. */
  readonly failure: string | undefined;
  /** The script. */
  readonly play: Play;
}

/** A client whose pull is being answered from a script. */
export interface RunningClient {
  /** The script. */
  readonly play: Play;
  /** The updates so far. */
  readonly updates: readonly unknown[];
  /** Resolves when it has reported a number of updates. */
  readonly reported: (count: number) => Promise<void>;
  /** Whether it has ended. */
  readonly isOver: () => boolean;
  /** Resolves when the client has had time to process everything that the server has sent so far. */
  readonly settled: () => Promise<void>;
  /** Resolves when the client has ended. */
  readonly result: Promise<Observation>;
  /** Cancels the pull. */
  readonly cancel: () => void;
}

/** Starts a client's pull, which a script answers. */
export function start(
  client: ClientUnderTest,
  script: AnswerScript,
  { signal, awaits }: CheckRun,
): RunningClient {
  const play = client.server.play(script);
  awaits("the client to end", () => [play.exchange]);
  const controller = new AbortController();
  const updates: unknown[] = [];
  const awaited: { readonly count: number; readonly resolve: () => void }[] = [];
  let isOver = false;
  const patience = client.transport === "network" ? NETWORK_PATIENCE_MS : PATIENCE_MS;
  const { timeLimitMs = Infinity } = client;
  // The answer outlives the client, so that it becomes clear whether the client closes its connection.
  signal.addEventListener("abort", () => {
    controller.abort(signal.reason);
    client.server.forget(play);
  }, { once: true });

  const pull = async (): Promise<Observation> => {
    let failure: string | undefined;
    try {
      await client.pull({
        host: client.server.host + (script.hostPath ?? ""),
        fetch: client.server.fetch,
        model: play.model,
        signal: controller.signal,
        onUpdate(update) {
          updates.push(update);
          for (const { count, resolve } of awaited) if (updates.length >= count) resolve();
        },
      });
    } catch (error) {
      if (error instanceof CannotRun) throw error;
      failure = describeFailure(error);
    }
    isOver = true;
    return { updates, failure, play };
  };
  const result = pull();
  client.running.add(result);
  result.catch(() => {}) // whoever awaits `result` gets the error
    .finally(() => client.running.delete(result));
  return {
    play,
    updates,
    reported: (count) =>
      updates.length >= count
        ? Promise.resolve()
        : new Promise((resolve) => awaited.push({ count, resolve })),
    isOver: () => isOver,
    async settled() {
      await Promise.race([result, play.silent]);
      await within(result, Math.min(patience, timeLimitMs / 4));
    },
    result,
    cancel: () => controller.abort(new DOMException("The pull was cancelled", "AbortError")),
  };
}

/** Answers a client's pull with a script, to the end. */
export async function observe(
  client: ClientUnderTest,
  script: AnswerScript,
  run: CheckRun,
): Promise<Observation> {
  return await start(client, script, run).result;
}

/** An error's message and other fields, which often include an HTTP status. */
function describeFailure(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const fields = Object.entries(error).filter(([, value]) => typeof value !== "object");
  const more = fields.map(([name, value]) => `${name}: ${String(value)}`).join(", ");
  return more === "" ? error.message : `${error.message} (${more})`;
}

/** Throws unless the client reported a failure. */
export function expectFailure({ failure, play }: Observation, why: string): void {
  if (failure !== undefined) return;
  throw new Violation(`a failure, because ${why}`, "success", [play.exchange]);
}

/** Whether an update reports success in the server's own words. */
export function isSuccess(update: unknown): boolean {
  return (Object(update) as { status?: unknown }).status === "success";
}

const STATUS_FIELDS = ["status", "digest", "total", "completed"] as const;
const PROGRESS_FIELDS = ["completed", "total", "fraction"] as const;

/** The fields of an update that the protocol defines, except absent, null, empty and 0 ones. */
export function comparableFields(
  update: unknown,
  { reports }: ClientSubject,
): Record<string, unknown> {
  const fields = reports === "statuses" ? STATUS_FIELDS : PROGRESS_FIELDS;
  const object = Object(update) as Record<string, unknown>;
  // The protocol leaves out fields that are 0 or empty, and some languages cannot tell these from absent
  // ones.
  const given = fields.filter((field) => ![undefined, null, "", 0].includes(object[field] as null));
  return Object.fromEntries(given.map((field) => [field, object[field]]));
}

/**
 * The updates of a client that can be compared: all of a client that reports statuses, the last one of a
 * client that reports progress (which may be reported at any rate), none of a client that reports only the
 * outcome.
 */
export function comparableUpdates(
  client: ClientSubject,
  { updates }: Observation,
): Record<string, unknown>[] {
  if (client.reports === "outcome") return [];
  const shown = updates.map((update) => comparableFields(update, client));
  return client.reports === "statuses" ? shown : shown.slice(-1);
}

/** Throws unless a client reported every object of a pull, except perhaps `success`. */
export function expectTold(
  client: ClientSubject,
  observation: Observation,
  statuses: readonly StatusObject[],
): void {
  if (client.reports !== "statuses") return;
  const seen = comparableUpdates(client, observation).filter((update) => !isSuccess(update));
  const sent = statuses.map((object) => comparableFields(object, client))
    .filter((object) => Object.keys(object).length > 0 && !isSuccess(object));
  requireSameUpdates(sent, seen, "", [observation.play]);
}

/** Throws unless the client reported the same updates for two scripts. */
export function expectSame(client: ClientSubject, plain: Observation, other: Observation): void {
  const describe = ({ failure }: Observation) =>
    failure === undefined ? "success" : `a failure: ${failure}`;
  const plays = [plain.play, other.play];
  if ((plain.failure === undefined) !== (other.failure === undefined)) {
    const expected = `${describe(plain)}${AS_BEFORE}`;
    throw new Violation(expected, describe(other), plays.map(({ exchange }) => exchange));
  }
  requireSameUpdates(
    comparableUpdates(client, plain),
    comparableUpdates(client, other),
    AS_BEFORE,
    plays,
  );
}

const AS_BEFORE = ", as with the first answer";

/** Throws at the first update that differs from the expected one. */
export function requireSameUpdates(
  expected: readonly Record<string, unknown>[],
  seen: readonly Record<string, unknown>[],
  why: string,
  plays: readonly Play[],
): void {
  const length = Math.max(expected.length, seen.length);
  for (let at = 0; at < length; at++) {
    if (isSame(expected[at], seen[at])) continue;
    const show = (updates: readonly Record<string, unknown>[]) =>
      updates[at] ? `the update ${JSON.stringify(updates[at])}` : `${updates.length} updates`;
    const exchanges = plays.map(({ exchange }) => exchange);
    throw new Violation(`${show(expected)}${why}`, show(seen), exchanges);
  }
}

function isSame(
  a: Record<string, unknown> | undefined,
  b: Record<string, unknown> | undefined,
): boolean {
  if (!a || !b) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => Object.is(a[key], b[key]));
}
