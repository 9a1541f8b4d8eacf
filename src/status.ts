/**
 * What the server says while it pulls: JSON values to typed statuses, and back.
 *
 * This file holds the only table of what the wire's words mean; everything above it works on kinds.
 *
 * @module
 */

import { excerptOf, handleMalformed, type OnMalformed, PullError } from "./errors.ts";
import { type Step, transformPair } from "./streams.ts";

/** The fields of a status object on the wire. All of them may be absent. */
export interface WireStatus {
  /** What the server is doing, in its own words. */
  readonly status?: string;
  /** The digest of the layer being downloaded. */
  readonly digest?: string;
  /** The size of the layer, in bytes. Absent when the library gave none. */
  readonly total?: number;
  /** The bytes of the layer that are there. Absent at 0. */
  readonly completed?: number;
  /** Why the pull failed. */
  readonly error?: string;
}

/** What all kinds of status have. */
export interface PullStatusFields extends WireStatus {
  /**
   * Fields that the protocol does not know, or whose value is not of the type that it gives them:
   * `{"digest":5}` has no digest, but `extra.digest` of 5. Absent when there is none.
   */
  readonly extra?: Readonly<Record<string, unknown>>;
}

/** The manifest is being fetched. Spec: "The first object is the manifest". */
export interface ManifestStatus extends PullStatusFields {
  /** Tells the statuses apart. */
  readonly kind: "manifest";
  /** `pulling manifest`. */
  readonly status: string;
}

/** A layer is being downloaded. Spec: "Then there is a series of downloading responses". */
export interface DownloadingStatus extends PullStatusFields {
  /** Tells the statuses apart. */
  readonly kind: "downloading";
  /** The digest of the layer. */
  readonly digest: string;
}

/** The layers are being verified. Spec: `verifying sha256 digest`. */
export interface VerifyingStatus extends PullStatusFields {
  /** Tells the statuses apart. */
  readonly kind: "verifying";
  /** `verifying sha256 digest`. */
  readonly status: string;
}

/** The manifest is being written. Spec: `writing manifest`. */
export interface WritingStatus extends PullStatusFields {
  /** Tells the statuses apart. */
  readonly kind: "writing";
  /** `writing manifest`. */
  readonly status: string;
}

/**
 * Layers that no model uses any more are being removed, or could not be, which is not fatal. Spec:
 * `removing any unused layers`; observed: `removing unused layers`, `couldn't remove unused layers: …`.
 */
export interface RemovingStatus extends PullStatusFields {
  /** Tells the statuses apart. */
  readonly kind: "removing";
  /** The server's words. */
  readonly status: string;
}

/** The pull is done. Spec: `success`. */
export interface SuccessStatus extends PullStatusFields {
  /** Tells the statuses apart. */
  readonly kind: "success";
  /** `success`. */
  readonly status: string;
}

/** The pull failed after the stream began. Observed: it is the last object. */
export interface ErrorStatus extends PullStatusFields {
  /** Tells the statuses apart. */
  readonly kind: "error";
  /** Why. */
  readonly error: string;
}

/** An object that says nothing known, such as a status of a later version, or of a push. */
export interface OtherStatus extends PullStatusFields {
  /** Tells the statuses apart. */
  readonly kind: "other";
}

/** One object of the stream, told apart by `kind`. {@link encodeStatus} gives back what came. */
export type PullStatus =
  | ManifestStatus
  | DownloadingStatus
  | VerifyingStatus
  | WritingStatus
  | RemovingStatus
  | SuccessStatus
  | ErrorStatus
  | OtherStatus;

/** What the wire's words mean, in every dialect. Downloads are known by their digest instead. */
const KIND_OF_WORDS: ReadonlyMap<string | undefined, PullStatus["kind"]> = new Map([
  ["pulling manifest", "manifest"],
  ["verifying sha256 digest", "verifying"],
  ["writing manifest", "writing"],
  ["removing any unused layers", "removing"],
  ["removing unused layers", "removing"],
  ["success", "success"],
]);

const REMOVING_FAILED = "couldn't remove unused layers";

/**
 * The digest under which a tensor model reports one figure for all of its layers (observed): its
 * total is the sum of theirs.
 */
export const DIGEST_OF_ALL_LAYERS = "sha256:model";

/** Whether a value is a number of bytes that a JavaScript number holds exactly. */
export function isByteCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** A type whose properties can be set. */
export type Mutable<Type> = { -readonly [Key in keyof Type]: Type[Key] };

/** Whether a field is one that the protocol knows, and of the type that it gives it. */
function isKnown(name: string, value: unknown): boolean {
  if (name === "total" || name === "completed") return isByteCount(value);
  // Some servers write the digest that they have not got as `""`; the protocol leaves it out.
  return typeof value === "string" &&
    (name === "status" || name === "error" || name === "digest" && value !== "");
}

/** Types a JSON value, or returns `undefined` for one that is not an object. */
export function toPullStatus(value: unknown): PullStatus | undefined {
  if (typeof value !== "object" || !value || Array.isArray(value)) return undefined;
  const fields = value as Record<string, unknown>;
  const typed: Mutable<WireStatus> & Record<string, unknown> = { kind: "other" };
  const extra: [name: string, value: unknown][] = [];
  for (const name of Object.keys(fields)) {
    if (isKnown(name, fields[name])) typed[name] = fields[name];
    else extra.push([name, fields[name]]);
  }
  // Made from entries, not by assigning: a name may be `__proto__`.
  if (extra.length) typed.extra = Object.fromEntries(extra);
  const { status, digest, error } = typed;
  typed.kind = error !== undefined
    ? "error"
    : digest
    ? "downloading"
    : KIND_OF_WORDS.get(status) ?? (status?.startsWith(REMOVING_FAILED) ? "removing" : "other");
  return typed as unknown as PullStatus;
}

/**
 * The object that a status came as: its fields under their own names, and those in `extra`.
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
 * @return What {@link NdjsonEncoderStream} is to be given, to send it on as it came.
 */
export function encodeStatus(status: PullStatus): WireStatus & Record<string, unknown> {
  const { kind: _, extra, ...fields } = status;
  return { ...fields, ...extra };
}

/** Options of {@link PullStatusStream}. */
export interface PullStatusOptions {
  /**
   * What to do with a value that is not an object.
   *
   * @default {"error"}
   */
  onMalformed?: OnMalformed;
}

/** JSON values to statuses. */
export class PullStatusDecoder implements Step<unknown, PullStatus> {
  readonly #onMalformed: OnMalformed | undefined;
  #valuesSeen = 0;

  constructor(options: PullStatusOptions) {
    this.#onMalformed = options.onMalformed;
  }

  push(value: unknown, emit: (status: PullStatus) => void, line?: number): void {
    this.#valuesSeen++;
    const status = toPullStatus(value);
    if (status) return emit(status);
    const where = line === undefined ? `Value ${this.#valuesSeen}` : `Line ${line}`;
    // What an array holds may be nested too deeply to be written.
    const excerpt = excerptOf(Array.isArray(value) ? "an array" : String(value));
    const message = `${where} is not a status object: ${excerpt}`;
    handleMalformed(new PullError("malformed", message, { line, excerpt }), this.#onMalformed);
  }

  end(): void {}
}

/**
 * Types the JSON values of a pull stream.
 *
 * Any object is let through: one that says nothing known has the kind `other`, and an `error` object
 * is a status like the others. Fails with {@link PullError} `malformed` for a value that is not an
 * object.
 *
 * ```ts
 * import { NdjsonDecoderStream, PullStatusStream } from "@ollama-pull/kit";
 * import { assertEquals } from "@std/assert";
 *
 * const body = new Response('{"status":"pulling manifest"}\n{"error":"disk full"}\n').body!;
 * const statuses = body
 *   .pipeThrough(new NdjsonDecoderStream())
 *   .pipeThrough(new PullStatusStream());
 * assertEquals(await Array.fromAsync(statuses), [
 *   { kind: "manifest", status: "pulling manifest" },
 *   { kind: "error", error: "disk full" },
 * ]);
 * ```
 */
export class PullStatusStream {
  /** The statuses. */
  declare readonly readable: ReadableStream<PullStatus>;
  /** The JSON values. */
  declare readonly writable: WritableStream<unknown>;

  /**
   * Makes a typing step for one stream.
   *
   * @param options What to do with values that are not objects.
   */
  constructor(options: PullStatusOptions = {}) {
    Object.assign(this, transformPair(new PullStatusDecoder(options)));
  }
}
