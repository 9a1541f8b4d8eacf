/**
 * Arbitrary pulls for property tests, made with fast-check: manifests, the objects that a server sends
 * while it pulls one, the bytes in which those may be written, and the chunks in which they may arrive.
 *
 *     manifests ──▶ pullSessions ── objects ──▶ ndjsonBytes ── bytes ──▶ chunkings ── chunks
 *
 * Sources are named as in the protocol's description: `spec` is the published page of
 * `POST /api/pull`, `observed` is what real servers send. Every generator shrinks towards the plain
 * case: few layers of few bytes, the dialect of the spec, no surprise, one compact line an object, one
 * chunk.
 *
 * ```ts
 * import { decodeProgress } from "@ollama-pull/kit";
 * import { chunkings, ndjsonBytes, pullSessions } from "@ollama-pull/kit/conformance";
 * import fc from "fast-check";
 *
 * const arrivals = pullSessions().chain(({ statuses }) => ndjsonBytes(statuses)).chain(chunkings);
 * await fc.assert(fc.asyncProperty(arrivals, async (chunks) => {
 *   let last = 0;
 *   for await (const { fraction } of decodeProgress(ReadableStream.from(chunks))) {
 *     if (fraction < last) throw new Error("progress has fallen");
 *     last = fraction;
 *   }
 * }));
 * ```
 *
 * @module
 */

import fc from "fast-check";
import { AGGREGATE_DIGEST, type DialectName, dialects } from "../mock/dialects.ts";
import { type Fault, type FaultKind, faultKinds, type FaultPoint } from "../mock/faults.ts";
import type { LayerSize } from "../mod.ts";

/**
 * What fast-check draws values from. Internal, so that fast-check's types are not documented here.
 *
 * @internal
 */
export type Arbitrary<Value> = import("fast-check").Arbitrary<Value>;

/** One entry of a manifest (observed: what an OCI registry lists). */
export interface ManifestLayer {
  /** What the blob holds, as in `application/vnd.ollama.image.model`. */
  readonly mediaType: string;
  /** The digest of the blob: `sha256:` and 64 hex digits. */
  readonly digest: string;
  /** The size of the blob, in bytes. */
  readonly size: number;
}

/** What a model consists of (observed: an OCI image manifest). */
export interface Manifest {
  /** Always 2. */
  readonly schemaVersion: 2;
  /** Always `application/vnd.docker.distribution.manifest.v2+json`. */
  readonly mediaType: string;
  /** The blob that is pulled last. */
  readonly config: ManifestLayer;
  /** The other blobs, in the order in which they are pulled. */
  readonly layers: readonly ManifestLayer[];
}

/** An object as a server writes it: `status`, `digest`, `total`, `completed`, `error` and others. */
export type StatusObject = Readonly<Record<string, unknown>>;

/**
 * What may happen in a pull that takes a naive client by surprise (observed, except where it says
 * spec):
 *
 * - `silent-layer`: a layer sends no line at all.
 * - `unfinished-layer`: the last line of a layer has `completed` below `total`.
 * - `cached-layer`: a layer sends one line, with `completed` equal to `total`.
 * - `resumed-layer`: a layer begins at the bytes kept by an earlier pull (spec: "Cancelled pulls are
 *   resumed from where they left off").
 * - `rollback`: `completed` goes down.
 * - `parallel-layers`: lines about several layers alternate, in any dialect.
 * - `late-layer`: a layer is named only when others have come far, though layers run in parallel.
 * - `missing-total`: the lines of a layer have no `total`, because the library gave no length.
 * - `missing-status`: lines about a layer have no `status`.
 * - `failed-removal`: a line says that unused layers could not be removed.
 * - `unknown-status`: a line says what no version of the protocol knows, or nothing at all.
 * - `unknown-field`: a line has a field that no version of the protocol knows.
 */
export type PullSurprise =
  | "silent-layer"
  | "unfinished-layer"
  | "cached-layer"
  | "resumed-layer"
  | "rollback"
  | "parallel-layers"
  | "late-layer"
  | "missing-total"
  | "missing-status"
  | "failed-removal"
  | "unknown-status"
  | "unknown-field";

/**
 * How a session ends: with `success`, with an `error` object (observed: it is the last line), or with
 * neither, because the connection was cut between two lines.
 */
export type PullEnding = "success" | "error" | "cut";

/** A whole pull, as one server reports it. */
export interface PullSession {
  /** The dialect that the server speaks. */
  readonly dialect: DialectName;
  /** What is pulled. */
  readonly manifest: Manifest;
  /** How it ends. */
  readonly ending: PullEnding;
  /** The objects, in the order in which they are sent. */
  readonly statuses: readonly StatusObject[];
}

/** Options of {@link manifests}. */
export interface ManifestOptions {
  /**
   * The most layers in a manifest, besides its config.
   *
   * @default {5}
   */
  maxLayers?: number;
  /**
   * The largest size of a layer, in bytes.
   *
   * @default {1099511627776}
   */
  maxLayerBytes?: number;
}

/** Options of {@link pullSessions}. */
export interface PullSessionOptions extends ManifestOptions {
  /**
   * The dialects to choose from.
   *
   * @default {all of them}
   */
  dialects?: readonly DialectName[];
  /**
   * What may happen.
   *
   * @default {everything}
   */
  surprises?: readonly PullSurprise[];
  /**
   * How the pull may end.
   *
   * @default {["success"]}
   */
  endings?: readonly PullEnding[];
}

const DEFAULT_MAX_LAYERS = 5;
/** 1 TiB: more than any model, and small enough that the sizes of many layers add up exactly. */
const DEFAULT_MAX_LAYER_BYTES = 2 ** 40;
const MAX_TICKS = 6;

/** In the order in which shrinking prefers them: that of the spec first. */
const ALL_DIALECTS = Object.keys(dialects) as DialectName[];

const LAYER_MEDIA_TYPES = ["model", "template", "license", "params", "system", "tensor"].map(
  (name) => `application/vnd.ollama.image.${name}`,
);

/**
 * Digests: `sha256:` and 64 hex digits, of which the first twelve tell them apart. They are the hash of
 * no particular bytes.
 */
export function digests(): Arbitrary<string> {
  return fc.nat({ max: 2 ** 48 - 1 }).map((number) =>
    `sha256:${number.toString(16).padStart(12, "0").padEnd(64, "0")}`
  );
}

/**
 * The sizes of layers, in bytes: some tiny, as those of parameters are, some like those of weights.
 *
 * @param max The largest.
 */
function layerSizes(max: number): Arbitrary<number> {
  return fc.oneof(
    fc.integer({ min: 1, max: Math.min(max, 1000) }),
    fc.integer({ min: 1, max }),
  );
}

/**
 * Manifests: up to `maxLayers` layers and a config, all with different digests, each of at least one
 * byte.
 *
 * @param options How large they may be.
 */
export function manifests(options: ManifestOptions = {}): Arbitrary<Manifest> {
  const { maxLayers = DEFAULT_MAX_LAYERS, maxLayerBytes = DEFAULT_MAX_LAYER_BYTES } = options;
  const layer: Arbitrary<ManifestLayer> = fc.record({
    mediaType: fc.constantFrom(...LAYER_MEDIA_TYPES),
    digest: digests(),
    size: layerSizes(maxLayerBytes),
  });
  const blobs = fc.uniqueArray(layer, {
    minLength: 1,
    maxLength: maxLayers + 1,
    selector: ({ digest }) => digest,
  });
  return blobs.map(([config, ...layers]) => ({
    schemaVersion: 2,
    mediaType: "application/vnd.docker.distribution.manifest.v2+json",
    config: { ...config!, mediaType: "application/vnd.docker.container.image.v1+json" },
    layers,
  }));
}

/**
 * The digests and sizes of a manifest's blobs in the order in which a server pulls them: the layers,
 * then the config (observed).
 *
 * @param manifest The manifest.
 */
export function layerSizesOf(manifest: Manifest): LayerSize[] {
  return [...manifest.layers, manifest.config].map(({ digest, size }) => ({ digest, size }));
}

/**
 * Whole pulls, as a server of some dialect reports them: `pulling manifest`, lines about downloads, the
 * final lines of the dialect, and the ending. `total` and `completed` are in bytes; a field that is 0
 * is left out (observed), and no `completed` is above its `total`.
 *
 * @param options What may happen in them.
 */
export function pullSessions(options: PullSessionOptions = {}): Arbitrary<PullSession> {
  const { dialects: dialectNames = ALL_DIALECTS, endings = ["success"] } = options;
  const may = chances(options.surprises);
  return fc.record({
    manifest: manifests(options),
    dialect: fc.constantFrom(...dialectNames),
    ending: fc.constantFrom(...endings),
  }).chain(({ manifest, dialect, ending }) =>
    fc.record({
      downloads: downloads(dialect, layerSizesOf(manifest), may),
      finals: finalStatuses(dialect, may),
      strangers: strangers(may),
      strangeFields: strangeFields(may),
      endsAfter: fc.nat(),
    }).map(({ downloads, finals, strangers, strangeFields, endsAfter }) => {
      const plain = [{ status: "pulling manifest" }, ...downloads, ...finals];
      const whole = withStrangeFields(withStrangers(plain, strangers), strangeFields);
      return { dialect, manifest, ending, statuses: endedBy(whole, ending, endsAfter) };
    })
  );
}

/** Whether a surprise happens: seldom, and never if it may not. */
type Chance = (surprise: PullSurprise) => Arbitrary<boolean>;

function chances(surprises: readonly PullSurprise[] | undefined): Chance {
  return (surprise) =>
    surprises === undefined || surprises.includes(surprise)
      ? fc.nat({ max: 3 }).map((number) => number === 3)
      : fc.constant(false);
}

/** The lines about all downloads. */
function downloads(
  dialect: DialectName,
  layers: readonly LayerSize[],
  may: Chance,
): Arbitrary<StatusObject[]> {
  const inOrder = dialects[dialect].layers;
  if (inOrder === "aggregate") {
    const size = layers.reduce((sum, layer) => sum + layer.size, 0);
    return download(dialect, { digest: AGGREGATE_DIGEST, size }, may);
  }
  return fc.record({
    parallel: inOrder === "parallel" ? fc.constant(true) : may("parallel-layers"),
    downloads: fc.tuple(...layers.map((layer) => download(dialect, layer, may))),
    schedules: fc.tuple(...layers.map(() => schedule(may))),
  }).map(({ parallel, downloads, schedules }) =>
    parallel ? interleave(downloads, schedules) : downloads.flat()
  );
}

/** When the lines of a layer are sent, in ticks: the first one, and one each `pace` after that. */
interface Schedule {
  readonly announcedAt: number;
  readonly pace: number;
}

function schedule(may: Chance): Arbitrary<Schedule> {
  return fc.record({
    late: may("late-layer"),
    delay: fc.integer({ min: 1, max: MAX_TICKS }),
    pace: fc.integer({ min: 1, max: 3 }),
  }).map(({ late, delay, pace }) => ({ announcedAt: late ? delay : 0, pace }));
}

/** Merges the lines of several layers. Those of one tick stay in the order of the layers. */
function interleave(
  downloads: readonly StatusObject[][],
  schedules: readonly Schedule[],
): StatusObject[] {
  const timed = downloads.flatMap((lines, layer) => {
    const { announcedAt, pace } = schedules[layer]!;
    return lines.map((status, index) => ({ status, time: announcedAt + index * pace }));
  });
  return timed.sort((a, b) => a.time - b.time).map(({ status }) => status);
}

/** The lines about one download. */
function download(
  dialect: DialectName,
  { digest, size }: LayerSize,
  may: Chance,
): Arbitrary<StatusObject[]> {
  const { cached, downloading } = dialects[dialect];
  return fc.record({
    silent: may("silent-layer"),
    cached: may("cached-layer"),
    unfinished: may("unfinished-layer"),
    missingTotal: may("missing-total"),
    missingStatus: may("missing-status"),
    kept: bytesKept(size, may),
    received: bytesReceived(size, may),
  }).map((course) => {
    if (course.silent) return [];
    const words = course.cached ? cached(digest) : downloading(digest);
    const status = course.missingStatus ? undefined : words;
    const total = course.missingTotal ? undefined : size;
    const rising = [course.kept, ...course.received.map((bytes) => Math.max(bytes, course.kept))];
    if (!course.unfinished) rising.push(size);
    const completions = course.cached ? [size] : rising;
    return completions.map((completed) => withoutEmpty({ status, digest, total, completed }));
  });
}

/** The bytes of a layer that are there before the pull begins. */
function bytesKept(size: number, may: Chance): Arbitrary<number> {
  return fc.record({ resumed: may("resumed-layer"), kept: fc.nat({ max: size - 1 }) })
    .map(({ resumed, kept }) => resumed ? kept : 0);
}

/** The bytes of a layer that are there, tick by tick, but not at the end of the download. */
function bytesReceived(size: number, may: Chance): Arbitrary<number[]> {
  return fc.record({
    rollback: may("rollback"),
    received: fc.array(fc.nat({ max: size - 1 }), { maxLength: MAX_TICKS }),
  }).map(({ rollback, received }) => rollback ? received : received.sort((a, b) => a - b));
}

/** A status object without what servers leave out: fields that are 0 or not there (observed). */
function withoutEmpty(fields: StatusObject): StatusObject {
  const isSaid = (field: unknown) => field !== undefined && field !== 0;
  return Object.fromEntries(Object.entries(fields).filter(([_, field]) => isSaid(field)));
}

/** The lines after the downloads. */
function finalStatuses(dialect: DialectName, may: Chance): Arbitrary<StatusObject[]> {
  const { verifies, removing, alwaysRemoves } = dialects[dialect];
  return fc.record({
    hasUnused: alwaysRemoves ? fc.constant(true) : fc.boolean(),
    failed: may("failed-removal"),
  }).map(({ hasUnused, failed }) => {
    const removal = failed ? "couldn't remove unused layers: permission denied" : removing;
    return [
      verifies && "verifying sha256 digest",
      "writing manifest",
      hasUnused && removal,
      "success",
    ].filter((status) => typeof status === "string").map((status) => ({ status }));
  });
}

/** Something to put into a session, and where. */
interface Insertion<Item> {
  readonly position: number;
  readonly item: Item;
}

function insertions<Item>(
  chance: Arbitrary<boolean>,
  item: Arbitrary<Item>,
): Arbitrary<Insertion<Item>[]> {
  const some = fc.array(fc.record({ position: fc.nat(), item }), { maxLength: 3 });
  return fc.tuple(chance, some).map(([happens, insertions]) => happens ? insertions : []);
}

const FIELDS_KNOWN = new Set(["status", "digest", "total", "completed", "error"]);

/** Objects that say nothing known: what other endpoints send (observed), any other words, or none. */
export function unknownStatuses(): Arbitrary<StatusObject> {
  return fc.oneof(
    fc.constantFrom<StatusObject>(
      {},
      { status: "retrieving manifest" },
      { status: "pushing manifest" },
      { status: "using existing layer sha256:0000" },
    ),
    fc.string({ unit: "grapheme" }).map((words) => ({ status: `${words}…` })),
    unknownFields().map(([key, value]) => Object.fromEntries([[key, value]])),
  );
}

/** Fields with a name that the protocol does not know, and any JSON value. */
function unknownFields(): Arbitrary<[key: string, value: unknown]> {
  return fc.tuple(
    fc.oneof(
      fc.constantFrom("eta", "kind", "extra", "__proto__", "constructor", "toString"),
      fc.string({ unit: "grapheme" }).filter((key) => !FIELDS_KNOWN.has(key)),
    ),
    // By way of JSON, which has no -0: the value that is sent is the value that arrives.
    fc.jsonValue({ maxDepth: 2, stringUnit: "grapheme" }).map((value) =>
      JSON.parse(JSON.stringify(value))
    ),
  );
}

function strangers(may: Chance): Arbitrary<Insertion<StatusObject>[]> {
  return insertions(may("unknown-status"), unknownStatuses());
}

function strangeFields(may: Chance): Arbitrary<Insertion<[string, unknown]>[]> {
  return insertions(may("unknown-field"), unknownFields());
}

/** Puts objects in, neither before the first (spec: the manifest) nor after the last. */
function withStrangers(
  statuses: readonly StatusObject[],
  strangers: readonly Insertion<StatusObject>[],
): StatusObject[] {
  const whole = [...statuses];
  for (const { position, item } of strangers) {
    whole.splice(1 + position % (whole.length - 1), 0, item);
  }
  return whole;
}

function withStrangeFields(
  statuses: readonly StatusObject[],
  fields: readonly Insertion<[string, unknown]>[],
): StatusObject[] {
  const whole = [...statuses];
  for (const { position, item } of fields) {
    const index = position % whole.length;
    // Not by a literal or by assigning: the key may be `__proto__`.
    whole[index] = Object.fromEntries([...Object.entries(whole[index]!), item]);
  }
  return whole;
}

function endedBy(statuses: StatusObject[], ending: PullEnding, endsAfter: number): StatusObject[] {
  if (ending === "success") return statuses;
  const sent = statuses.slice(0, endsAfter % statuses.length);
  return ending === "cut" ? sent : [...sent, { error: "max retries exceeded: EOF" }];
}

/**
 * Single objects that are each fit to be sent, but not in any order: phases come back, totals change,
 * `completed` jumps, is above `total` or has none. Bytes are up to 2^53-1. There are few digests, so
 * that objects in a row are often about the same layer. None is an `error`.
 *
 * @param layerDigests The digests to choose from.
 * @param maxBytes The largest `total` and `completed`.
 */
export function statusObjects(
  layerDigests: readonly string[] = ["sha256:aaaa", "sha256:bbbb", "sha256:cccc", AGGREGATE_DIGEST],
  maxBytes: number = Number.MAX_SAFE_INTEGER,
): Arbitrary<StatusObject> {
  const bytes = fc.oneof(
    fc.nat({ max: Math.min(maxBytes, 100) }),
    fc.maxSafeNat().map((bytes) => bytes % (maxBytes + 1)),
  );
  const words = fc.constantFrom(
    "pulling manifest",
    "verifying sha256 digest",
    "writing manifest",
    "removing any unused layers",
    "removing unused layers",
    "couldn't remove unused layers: permission denied",
    "success",
  );
  return fc.oneof(
    { weight: 8, arbitrary: layerStatuses(layerDigests, bytes) },
    { weight: 2, arbitrary: words.map((status) => ({ status })) },
    { weight: 1, arbitrary: unknownStatuses() },
  );
}

function layerStatuses(
  layerDigests: readonly string[],
  bytes: Arbitrary<number>,
): Arbitrary<StatusObject> {
  return fc.record({
    status: fc.constant("pulling"),
    digest: fc.constantFrom(...layerDigests),
    total: bytes,
    completed: bytes,
  }, { requiredKeys: ["digest"], noNullPrototype: true });
}

/**
 * Lines without their newline that do harm to a careless decoder. About half are JSON; of those, about
 * half are objects. What is in them:
 *
 * - objects whose fields have the wrong type, or numbers that are negative, fractional or beyond what
 *   a double holds (`1e400`, 2^53);
 * - `__proto__` and `constructor` as keys, the same key twice, brackets nested up to 500 deep;
 * - JSON that is not an object: arrays, strings, numbers, `null`;
 * - what is not JSON: pages of a proxy, text, objects cut short, two objects on a line, control
 *   characters, a byte order mark that is not at the start of the stream.
 */
export function hostileLines(): Arbitrary<string> {
  return fc.oneof(
    fc.constantFrom(
      '{"error":"max retries exceeded"',
      "<html><head><title>502 Bad Gateway</title></head></html>",
      "upstream connect error or disconnect/reset before headers",
      'data: {"status":"success"}',
      '{"status":"success"}{"status":"success"}',
      '{"status":"success"},',
      "{'status':'success'}",
      '{"status":NaN}',
      '{"status":"\t"}',
      '{"status":"\u0000"}',
      '\ufeff{"status":"success"}',
      " \u00a0",
      "\f",
      "nul",
      "-",
    ),
    fc.constantFrom(
      "null",
      "true",
      "0",
      "-0",
      "1e400",
      '"success"',
      "[]",
      '[{"status":"success"}]',
    ),
    hostileObjects(),
    fc.record({ depth: fc.integer({ min: 1, max: 500 }), open: fc.constantFrom("[", '{"a":') })
      .map(({ depth, open }) =>
        `{"status":${open.repeat(depth)}0${(open === "[" ? "]" : "}").repeat(depth)}}`
      ),
    fc.string({ unit: anyCharacter() }).map((text) => text.replaceAll("\n", " ")),
    fc.tuple(hostileObjects(), fc.nat()).map(([line, at]) => line.slice(0, at % line.length)),
  );
}

/** Any code point but half surrogates. (fast-check's own `binary` takes a second to be made.) */
function anyCharacter(): Arbitrary<string> {
  return fc.oneof(
    fc.integer({ min: 0, max: 0xff }),
    fc.integer({ min: 0, max: 0xd7ff }),
    fc.integer({ min: 0xe000, max: 0x10ffff }),
  ).map((codePoint) => String.fromCodePoint(codePoint));
}

/** Lines that are JSON objects with fields of any value, valid for their name or not. */
function hostileObjects(): Arbitrary<string> {
  const key = fc.constantFrom(
    ...[
      "status",
      "digest",
      "total",
      "completed",
      "error",
      "__proto__",
      "constructor",
      "kind",
      "extra",
    ],
  );
  const value = fc.constantFrom(
    ...["5", "0", "-1", "-0", "1.5", "1e400", "-1e400", "9007199254740992", "9007199254740991"],
    ...["null", "true", '""', '"5"', '"success"', '"sha256:aaaa"', "[]", "{}", '{"polluted":true}'],
    ...['"\\u0000"', '"\\ud83d"', '"\\u001b[2J"', '"\\u2028"'],
  );
  return fc.array(fc.tuple(key, value), { maxLength: 5 })
    .map((fields) => `{${fields.map(([key, value]) => `"${key}":${value}`).join(",")}}`);
}

/** How one value is written. */
interface LineStyle {
  /** The lines before it that hold nothing but white space. */
  readonly blanks: readonly string[];
  readonly keys: "as they are" | "reversed" | "sorted";
  /** White space around every token. */
  readonly gap: string;
  readonly escapes: "shortest" | "not ASCII" | "everything";
  readonly newline: "\n" | "\r\n";
}

function lineStyles(): Arbitrary<LineStyle> {
  return fc.record({
    blanks: fc.array(fc.constantFrom("\n", "\r\n", " \n", "\t\r\n"), { maxLength: 2 }),
    keys: fc.constantFrom<LineStyle["keys"][]>("as they are", "reversed", "sorted"),
    gap: fc.constantFrom("", " ", "\t", "  "),
    escapes: fc.constantFrom<LineStyle["escapes"][]>("shortest", "not ASCII", "everything"),
    newline: fc.constantFrom<LineStyle["newline"][]>("\n", "\r\n"),
  });
}

/**
 * Values as newline-delimited JSON, in UTF-8: compact lines that end in `\n`, as servers write them, and
 * every other form in which the same values may be written. Lines end in `\n` or `\r\n` and may be blank,
 * there may be a byte order mark at the start and no newline at the end, keys come in any order, with
 * white space around tokens and with characters escaped.
 *
 * @param values What is to be written. Not nested too deeply for a recursive writer.
 */
export function ndjsonBytes(values: readonly unknown[]): Arbitrary<Uint8Array<ArrayBuffer>> {
  return fc.record({
    byteOrderMark: fc.boolean(),
    styles: fc.tuple(...values.map(lineStyles)),
    lastNewlineMissing: fc.boolean(),
  }).map(({ byteOrderMark, styles, lastNewlineMissing }) => {
    let text = byteOrderMark ? "\ufeff" : "";
    for (const [index, style] of styles.entries()) {
      text += style.blanks.join("") + write(values[index], style) + style.newline;
    }
    return new TextEncoder().encode(lastNewlineMissing ? text.replace(/\r?\n$/, "") : text);
  });
}

/** Writes a value as JSON on one line. */
function write(value: unknown, style: LineStyle): string {
  const { gap } = style;
  if (typeof value === "string") return writeString(value, style);
  if (Array.isArray(value)) {
    return `[${gap}${value.map((item) => write(item, style)).join(`${gap},${gap}`)}${gap}]`;
  }
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const fields = inOrder(Object.entries(value), style)
    .map(([key, field]) => `${writeString(key, style)}${gap}:${gap}${write(field, style)}`);
  return `{${gap}${fields.join(`${gap},${gap}`)}${gap}}`;
}

function inOrder(fields: [string, unknown][], { keys }: LineStyle): [string, unknown][] {
  if (keys === "reversed") return fields.reverse();
  return keys === "sorted" ? fields.sort(([a], [b]) => a < b ? -1 : 1) : fields;
}

function writeString(text: string, { escapes }: LineStyle): string {
  if (escapes === "everything") return `"${text.replace(/[^]/g, escapeUnit)}"`;
  const json = JSON.stringify(text);
  return escapes === "shortest" ? json : json.replace(/[^\0-\x7f]/g, escapeUnit);
}

function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/**
 * The chunks in which bytes may arrive: in one, in a few cut anywhere, some of which may be empty, or
 * one byte at a time. Together they are always the same bytes.
 *
 * @param bytes What arrives.
 */
export function chunkings(
  bytes: Uint8Array<ArrayBuffer>,
): Arbitrary<Uint8Array<ArrayBuffer>[]> {
  const cuts = fc.array(fc.nat({ max: bytes.length }), { maxLength: 16 });
  const sizes = fc.integer({ min: 1, max: 8 });
  return fc.oneof(
    { weight: 4, arbitrary: cuts.map((cuts) => cutBytes(bytes, cuts)) },
    { weight: 1, arbitrary: sizes.map((size) => cutBytes(bytes, multiples(size, bytes.length))) },
  );
}

/** The multiples of a number that lie between 0 and an end. */
function multiples(step: number, end: number): number[] {
  return Array.from({ length: Math.max(Math.ceil(end / step) - 1, 0) }, (_, n) => (n + 1) * step);
}

/**
 * Cuts bytes into chunks.
 *
 * @param bytes What to cut.
 * @param cuts Where to cut, in bytes from the start. The same place twice makes an empty chunk.
 */
export function cutBytes(
  bytes: Uint8Array<ArrayBuffer>,
  cuts: readonly number[],
): Uint8Array<ArrayBuffer>[] {
  const ends = [...cuts].sort((a, b) => a - b);
  return [...ends, bytes.length].map((end, index) => bytes.slice(ends[index - 1] ?? 0, end));
}

/** Every kind of fault. */
const ALL_FAULTS = Object.keys(faultKinds) as FaultKind[];

/** The most lines and bytes before a fault strikes: beyond them a small pull is over. */
const MAX_FAULT_LINE = 20;
const MAX_FAULT_BYTE = 2_000;

/**
 * Faults of the mock, with their default parameters: at a share of the model, a line, a byte or a layer
 * where a kind strikes at a point, and on the pull as a whole otherwise. They fit any model.
 *
 * @param kinds The kinds to choose from. All of them, unless told.
 */
export function faults(kinds: readonly FaultKind[] = ALL_FAULTS): Arbitrary<Fault> {
  return fc.constantFrom(...kinds).chain((kind) => {
    const points = faultKinds[kind].at === "point" ? faultPoints() : fc.constant(undefined);
    return points.map((at) => (at ? { kind, at } : { kind }) as Fault);
  });
}

/** Where a fault may strike in any model. */
function faultPoints(): Arbitrary<FaultPoint> {
  return fc.oneof(
    fc.integer({ min: 0, max: 100 }).map((share) => ({ completed: `${share}%` })),
    fc.integer({ min: 1, max: MAX_FAULT_LINE }).map((line) => ({ line })),
    fc.integer({ min: 0, max: MAX_FAULT_BYTE }).map((byte) => ({ byte })),
    fc.constant({ layer: 0 }),
  );
}
