/**
 * Servers that are wrong only in states that take several steps to reach: the mock, with one change each.
 *
 * @module
 */

import type { MockServer } from "../../../mock/options.ts";
import { line } from "../../client/wire_bytes.ts";
import type { StatusObject } from "../../generators/mod.ts";
import type { ServerSubject } from "../../server/subject.ts";
import {
  type Answer,
  changeBytes,
  changeRequest,
  fieldsOf,
  isPull,
  server,
} from "./server_parts.ts";
import type { Specimen } from "./specimen.ts";

/** The bandwidth of a mock. */
const BYTES_PER_MS = 100_000;

/** An object that reports a partial layer. */
type Download = StatusObject & { digest: string; total: number; completed: number };

function isDownload(object: StatusObject): object is Download {
  return object.digest !== undefined && object.completed !== undefined;
}

function isPartial(object: StatusObject): object is Download {
  return isDownload(object) && object.completed < object.total;
}

/** A running stream. */
interface Stream {
  /** When it began. */
  readonly beganAt: number;
  /** The bytes of each layer that it has reported. */
  readonly told: Map<string, number>;
  /** The bytes that other streams had reported when it began, if there were any. */
  readonly shared: ReadonlyMap<string, number> | undefined;
  /** Whether it should end at once. */
  isDead: boolean;
}

/** A habit: what a server does differently with its streams. */
interface Habit {
  /** The objects to send instead of one. */
  readonly change?: (object: StatusObject, stream: Stream) => readonly StatusObject[];
  /** Called when a caller has left while others stay. */
  readonly onLeave?: (stream: Stream, others: readonly Stream[]) => void;
}

/** A mock with a habit, and the streams that it sends. */
function withHabit(mock: MockServer, { change, onLeave }: Habit) {
  const running: Stream[] = [];
  const answer: Answer = changeBytes(mock.fetch, async function* (chunks) {
    const told = running.map((stream) => [...stream.told]).flat();
    const shared = running.length > 0 ? new Map(told) : undefined;
    const stream: Stream = { beganAt: mock.clock.now(), told: new Map(), shared, isDead: false };
    running.push(stream);
    let hasLeft = true;
    try {
      for await (const chunk of chunks) {
        if (stream.isDead) break;
        const object: StatusObject = JSON.parse(new TextDecoder().decode(chunk));
        for (const sent of change?.(object, stream) ?? [object]) yield line(sent);
        if (isDownload(object)) stream.told.set(object.digest, object.completed);
      }
      hasLeft = false;
    } finally {
      running.splice(running.indexOf(stream), 1);
      if (hasLeft) onLeave?.(stream, running);
    }
  });
  return { answer, running };
}

const FINAL: readonly StatusObject[] = [
  { status: "verifying sha256 digest" },
  { status: "writing manifest" },
  { status: "success" },
];

/** Reports less than there is. */
function less<Told extends Download>(object: Told, bytes = 0): Told {
  return { ...object, completed: Math.max(0, object.completed - bytes) };
}

/** The servers. */
export const walkedSpecimens: readonly Specimen<ServerSubject>[] = [
  server(
    "forgets parts of later layers",
    "It drops what it has of a layer that is not the first one when a pull is cancelled.",
    ["S-RESUME-1"],
    (mock) => {
      const forgotten = new Map<string, number>();
      return withHabit(mock, {
        onLeave({ told }) {
          const [digest, bytes] = [...told].at(-1) ?? [];
          if (told.size > 1 && digest && bytes) forgotten.set(digest, bytes);
        },
        change: (object) => [
          isPartial(object) ? less(object, forgotten.get(object.digest)) : object,
        ],
      }).answer;
    },
  ),
  server(
    "forgets whole layers of a pull that was cancelled",
    "It drops the layers that are complete when a pull is cancelled in a later one.",
    ["S-RESUME-1"],
    (mock) => {
      const forgotten = new Set<string>();
      return withHabit(mock, {
        onLeave: ({ told }) => [...told.keys()].slice(0, -1).forEach((each) => forgotten.add(each)),
        change(object) {
          if (!isDownload(object) || !forgotten.delete(object.digest)) return [object];
          return [{ ...object, completed: 1 }, object];
        },
      }).answer;
    },
  ),
  server(
    "forgets what the last of several callers has seen",
    "It keeps what it has when a single caller leaves, but not when there were several.",
    ["S-RESUME-1"],
    (mock) => {
      let isShared = false;
      const { answer } = withHabit(mock, {
        change(object, { shared }) {
          isShared ||= shared !== undefined;
          return [object];
        },
        onLeave(_stream, others) {
          if (isShared && others.length === 0) mock.reset();
        },
      });
      return answer;
    },
  ),
  server(
    "has all when a pull is resumed",
    "It tells that each layer is complete once a pull was cancelled.",
    ["S-RESUME-1"],
    (mock) => {
      let isResumed = false;
      return withHabit(mock, {
        onLeave: (_stream, others) => isResumed ||= others.length === 0,
        change(object) {
          isResumed &&= object.status !== "success";
          if (!isResumed || !isDownload(object)) return [object];
          return [{ ...object, completed: object.total }];
        },
      }).answer;
    },
  ),
  server(
    "goes on by itself",
    "It downloads while no caller is there.",
    ["S-RESUME-1"],
    (mock) => {
      let leftAt = Infinity;
      return withHabit(mock, {
        onLeave: (_stream, others) => leftAt = others.length === 0 ? mock.clock.now() : Infinity,
        change(object, { beganAt }) {
          if (object.status === "success") leftAt = Infinity;
          if (!isPartial(object) || beganAt < leftAt) return [object];
          const more = Math.floor((beganAt - leftAt) * BYTES_PER_MS);
          return [{ ...object, completed: Math.min(object.total, object.completed + more) }];
        },
      }).answer;
    },
  ),
  server(
    "shares the first layer only",
    "A pull that begins during a later layer downloads that layer by itself.",
    ["S-SHARE-1"],
    (mock) =>
      withHabit(mock, {
        change(object, { shared }) {
          if (!isPartial(object) || !shared || shared.size < 2) return [object];
          return [less(object, shared.get(object.digest))];
        },
      }).answer,
  ),
  server(
    "is done with a joining caller",
    "It tells of success at once where another pull is under way.",
    ["S-SHARE-1"],
    (mock) =>
      withHabit(mock, {
        change(object, stream) {
          if (!stream.shared || !isPartial(object)) return [object];
          stream.isDead = true;
          return [object, ...FINAL];
        },
      }).answer,
  ),
  server(
    "ends a pull when one leaves that came later",
    "The caller who came first may leave, but not the others.",
    ["S-LEAVE-1"],
    (mock) =>
      withHabit(mock, {
        onLeave({ beganAt }, others) {
          for (const other of others) other.isDead ||= other.beganAt < beganAt;
        },
      }).answer,
  ),
  server(
    "ends pulls when it refuses a request",
    "A request that it refuses ends the pulls that are under way.",
    ["S-ERR-11"],
    (mock) => {
      const { answer, running } = withHabit(mock, {});
      return async (request) => {
        const response = await answer(request);
        if (response.status === 400) { for (const stream of running) stream.isDead = true; }
        return response;
      };
    },
  ),
  server(
    "ends pulls when it does not know a model",
    "A pull of a model that the registry does not have ends those that are under way.",
    ["S-ERR-11"],
    (mock) => {
      const { answer, running } = withHabit(mock, {
        change(object, stream) {
          if (object.error === undefined) return [object];
          for (const other of running) other.isDead ||= other !== stream;
          return [object];
        },
      });
      return answer;
    },
  ),
  server(
    "drops all that it has when there is nothing to delete",
    "It answers that there is no such model, and drops what is there of it.",
    ["S-ERR-11"],
    (mock) => async (request) => {
      const response = await mock.fetch(request);
      if (request.method === "DELETE" && response.status === 404) mock.reset();
      return response;
    },
  ),
  server(
    "ends pulls when another model is there",
    "The success of one pull ends those of other models.",
    ["S-OTHER-1"],
    (mock) => {
      const { answer, running } = withHabit(mock, {});
      return async (request) => {
        const isOther = isPull(request) && (await fieldsOf(request))?.model === "other";
        if (isOther) { for (const stream of running) stream.isDead = true; }
        return await answer(request);
      };
    },
  ),
  server(
    "counts what is left",
    "The total of a layer is what is left of it when a pull is resumed.",
    ["S-DOWN-2", "S-DOWN-3", "S-DOWN-4"],
    (mock) => {
      const kept = new Map<string, number>();
      return withHabit(mock, {
        onLeave: ({ told }) => told.forEach((bytes, digest) => kept.set(digest, bytes)),
        change(object) {
          if (!isPartial(object)) return [object];
          return [{ ...object, total: object.total - (kept.get(object.digest) ?? 0) }];
        },
      }).answer;
    },
  ),
  server(
    "has no manifest where all is there",
    "It does not tell of the manifest of a model that it has.",
    ["S-SEQ-1"],
    (mock) => {
      let isThere = false;
      return withHabit(mock, {
        change(object) {
          isThere ||= object.status === "success";
          return isThere && object.status === "pulling manifest" ? [] : [object];
        },
      }).answer;
    },
  ),
  server(
    "verifies twice when a pull is resumed",
    "It tells two times that it verifies once a pull was cancelled.",
    ["S-SEQ-5"],
    (mock) => {
      let hasLeft = false;
      return withHabit(mock, {
        onLeave: () => hasLeft = true,
        change: (object) =>
          hasLeft && /^verifying/.test(`${object.status}`) ? [object, object] : [object],
      }).answer;
    },
  ),
  server(
    "is done before the second layer is",
    "It tells of success as soon as a layer that is not the first one is there in part.",
    ["S-SEQ-2"],
    (mock) =>
      withHabit(mock, {
        change(object, stream) {
          if (!isPartial(object) || stream.told.size < 2) return [object];
          stream.isDead = true;
          return [object, ...FINAL];
        },
      }).answer,
  ),
  server(
    "streams to one who asks for no stream and is not alone",
    "It answers with a stream where another pull is under way.",
    ["S-REQ-3"],
    (mock) => {
      const { answer, running } = withHabit(mock, {});
      return changeRequest(
        answer,
        (fields) => running.length > 0 ? { ...fields, stream: true } : fields,
      );
    },
  ),
  server(
    "lists a model that is not there yet",
    "A model is in the list from the moment at which its pull begins.",
    ["S-LIST-1"],
    (mock) => {
      const pulled = new Set<unknown>();
      return async (request) => {
        if (isPull(request)) pulled.add((await fieldsOf(request))?.model);
        const isList = new URL(request.url).pathname === "/api/tags";
        if (request.method === "DELETE") pulled.clear();
        const response = await mock.fetch(request);
        return isList ? Response.json({ models: [...pulled].map((name) => ({ name })) }) : response;
      };
    },
  ),
  server(
    "keeps the ticker of each pull that was cancelled",
    "It tells of each tick once more for each time that a pull was cancelled.",
    ["S-FRAME-7"],
    (mock) => {
      let tickers = 1;
      return withHabit(mock, {
        onLeave: () => tickers++,
        change: (object) => isPartial(object) ? Array(tickers).fill(object) : [object],
      }).answer;
    },
  ),
  server(
    "hands a download over once",
    "When a second caller leaves, it ends the pulls of all others.",
    ["S-LEAVE-1"],
    (mock) => {
      let left = 0;
      return withHabit(mock, {
        onLeave(_stream, others) {
          left = others.length === 0 ? 0 : left + 1;
          for (const other of others) other.isDead ||= left > 1;
        },
      }).answer;
    },
  ),
  server(
    "skips a part at each visit",
    "It goes on a little further than where a pull was cancelled, at each time.",
    ["S-RESUME-1"],
    (mock) => {
      const skipped = new Map<string, number>();
      return withHabit(mock, {
        onLeave({ told }, others) {
          const [digest] = [...told].at(-1) ?? [];
          if (others.length > 0 || !digest) return;
          skipped.set(digest, (skipped.get(digest) ?? 0) + 28_000_000);
        },
        change(object) {
          if (!isPartial(object)) return [object];
          const completed = object.completed + (skipped.get(object.digest) ?? 0);
          return [{ ...object, completed: Math.min(object.total, completed) }];
        },
      }).answer;
    },
  ),
  server(
    "forgets a part after half a minute",
    "It drops what it has in part when nobody has pulled for half a minute.",
    ["S-RESUME-1"],
    (mock) => {
      let leftAt = Infinity;
      const { answer } = withHabit(mock, {
        onLeave: (_stream, others) => leftAt = others.length === 0 ? mock.clock.now() : Infinity,
      });
      return (request) => {
        if (isPull(request) && mock.clock.now() - leftAt > 30_000) mock.reset();
        if (isPull(request)) leftAt = Infinity;
        return answer(request);
      };
    },
  ),
];
