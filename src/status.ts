/**
 * The objects that a server sends while it pulls: JSON values to typed statuses, and back.
 *
 * Only this file knows what the words on the wire mean; everything above it works with kinds.
 *
 * @module
 */

import { PullError } from "./errors.ts";
import { failureWords } from "./error_words.ts";
import { isJsonObject } from "./ndjson.ts";
import { excerptOf } from "./text.ts";

/** The fields of a status object on the wire. All of them may be absent. */
export interface WireStatus {
  /** What the server is doing, in its own words. */
  readonly status?: string;
  /** The digest of the layer being downloaded. */
  readonly digest?: string;
  /** The size of the layer, in bytes. Absent if the registry gave none. */
  readonly total?: number;
  /** How many bytes of the layer are present. Absent at 0. */
  readonly completed?: number;
  /** Why the pull failed. */
  readonly error?: string;
}

/** The fields that every kind of status may have. */
export interface PullStatusFields extends WireStatus {
  /**
   * Fields that the protocol does not define, and fields whose value has the wrong type: `{"digest":5}`
   * has no `digest`, but an `extra.digest` of 5. Absent if there are none.
   */
  readonly extra?: Readonly<Record<string, unknown>>;
}

/** The manifest is being fetched. Spec: "The first object is the manifest". */
export interface ManifestStatus extends PullStatusFields {
  /** The kind of status. */
  readonly kind: "manifest";
  /** `pulling manifest`. */
  readonly status: string;
}

/**
 * A layer is being downloaded. Spec: "Then there is a series of downloading responses".
 *
 * Any object with a digest has this kind, whatever its `status` says. Some compatible servers send no
 * digest, or `""` (observed): then an object whose `total` or `completed` is above 0 has this kind, unless
 * its `status` names a later phase. (With `pulling manifest`, only `completed` counts.)
 */
export interface DownloadingStatus extends PullStatusFields {
  /** The kind of status. */
  readonly kind: "downloading";
  /** The digest of the layer. Absent if the server sends none: then `status` identifies the layer. */
  readonly digest?: string;
}

/** The layers are being verified. Spec: `verifying sha256 digest`. */
export interface VerifyingStatus extends PullStatusFields {
  /** The kind of status. */
  readonly kind: "verifying";
  /** `verifying sha256 digest`. */
  readonly status: string;
}

/** The manifest is being written. Spec: `writing manifest`. */
export interface WritingStatus extends PullStatusFields {
  /** The kind of status. */
  readonly kind: "writing";
  /** `writing manifest`. */
  readonly status: string;
}

/**
 * Layers that no model uses any more are being removed, or could not be removed (not fatal). Spec:
 * `removing any unused layers`; observed: `removing unused layers`, `couldn't remove unused layers: …`.
 */
export interface RemovingStatus extends PullStatusFields {
  /** The kind of status. */
  readonly kind: "removing";
  /** The server's words. */
  readonly status: string;
}

/** The pull is done. Spec: `success`. */
export interface SuccessStatus extends PullStatusFields {
  /** The kind of status. */
  readonly kind: "success";
  /** `success`. */
  readonly status: string;
}

/** The pull failed after the stream began. Observed: it is the last object. */
export interface ErrorStatus extends PullStatusFields {
  /** The kind of status. */
  readonly kind: "error";
  /**
   * The server's message, in whatever shape it came: Ollama's `{"error":"…"}`, or another one, whose
   * fields are in `extra`. Not a field on the wire.
   */
  readonly message: string;
}

/** An object with no known status: from a later version of the server, say, or from a push. */
export interface OtherStatus extends PullStatusFields {
  /** The kind of status. */
  readonly kind: "other";
}

/** One object of the stream, discriminated by `kind`. {@link encodeStatus} restores the original object. */
export type PullStatus =
  | ManifestStatus
  | DownloadingStatus
  | VerifyingStatus
  | WritingStatus
  | RemovingStatus
  | SuccessStatus
  | ErrorStatus
  | OtherStatus;

/** The kind of each `status`, in every dialect. A download is recognized by its digest or bytes instead. */
const KIND_OF_WORDS: ReadonlyMap<string, PullStatus["kind"]> = new Map([
  ["pulling manifest", "manifest"],
  ["verifying sha256 digest", "verifying"],
  ["writing manifest", "writing"],
  ["removing any unused layers", "removing"],
  ["removing unused layers", "removing"],
  ["success", "success"],
]);

const REMOVING_FAILED = "couldn't remove unused layers";

/**
 * The digest under which a server reports all layers of a tensor model as one (observed). `total` is then
 * the sum of their sizes.
 */
export const DIGEST_OF_ALL_LAYERS = "sha256:model";

/** Whether a value is a number of bytes that JavaScript can represent exactly. */
export function isByteCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** A type whose properties can be set. */
export type Mutable<Type> = { -readonly [Key in keyof Type]: Type[Key] };

/** The fields of a status that is being read. */
type ReadFields = Mutable<WireStatus> & Record<string, unknown>;

/** Whether the protocol defines this field, and the value has the right type. */
function isKnownField(name: string, value: unknown): boolean {
  switch (name) {
    case "total":
    case "completed":
      return isByteCount(value);
    case "status":
    case "error":
      return typeof value === "string";
    case "digest":
      // Some servers write `""` in place of a missing digest; the protocol leaves the field out.
      return typeof value === "string" && value !== "";
    default:
      return false;
  }
}

function kindOf({ status = "", digest, total, completed }: WireStatus): PullStatus["kind"] {
  if (digest !== undefined) return "downloading";
  if (status.startsWith(REMOVING_FAILED)) return "removing";
  const kind = KIND_OF_WORDS.get(status) ?? "other";
  // Some servers write every field in every object. So a 0 means nothing, and neither does a `total`
  // while the manifest is pulled.
  const isDownload = kind === "other" ? total || completed : kind === "manifest" && completed;
  return isDownload ? "downloading" : kind;
}

/** Types a JSON value, or returns `undefined` for one that is not an object. */
export function toPullStatus(value: unknown): PullStatus | undefined {
  if (!isJsonObject(value)) return undefined;
  // `kind` is the first property; its value is set once the fields are known.
  const status: ReadFields = { kind: "other" };
  const extra: [name: string, value: unknown][] = [];
  for (const name of Object.keys(value)) {
    if (isKnownField(name, value[name])) status[name] = value[name];
    else extra.push([name, value[name]]);
  }
  const message = failureWords(value);
  status.kind = message === undefined ? kindOf(status) : "error";
  if (message !== undefined) status.message = message;
  // `fromEntries` defines each field, so a field called `__proto__` is just a field.
  if (extra.length > 0) status.extra = Object.fromEntries(extra);
  return status as unknown as PullStatus;
}

/**
 * The error for a value that is not an object.
 *
 * @param where Where the value was, such as "Line 3".
 */
export function notAStatus(value: unknown, where: string, line: number | undefined): PullError {
  // Converting a deeply nested array to a string could overflow the stack, so do not show its items.
  const excerpt = excerptOf(Array.isArray(value) ? "an array" : String(value));
  const message = `${where} is not a status object: ${excerpt}`;
  return new PullError("malformed", message, { line, excerpt });
}

/**
 * Restores the object that a status was made from: its own fields, and those in `extra`.
 *
 * ```ts
 * import { encodeStatus } from "@ollama-pull/kit";
 * import { assertEquals } from "@std/assert";
 *
 * const status = { kind: "success", status: "success", extra: { took: 3 } } as const;
 * assertEquals(encodeStatus(status), { status: "success", took: 3 });
 * ```
 *
 * @param status The status.
 * @return The object, ready for {@link NdjsonEncoderStream}.
 */
export function encodeStatus(status: PullStatus): WireStatus & Record<string, unknown> {
  const { kind: _, message: __, extra, ...fields } = status as PullStatus & { message?: string };
  return { ...fields, ...extra };
}
