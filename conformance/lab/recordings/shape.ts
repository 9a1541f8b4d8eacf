/**
 * The shape of a recording: what is the same each time a scenario is played, although bytes arrive
 * at other times.
 *
 * @module
 */

import { type DialectName, dialects } from "../../../src/dialects.ts";
import { shortDigest } from "../../../src/digest.ts";
import { textOf } from "./recording.ts";
import type { PlayedScenario } from "./scenarios.ts";

/** The shape of an answer. */
export interface AnswerShape {
  /** The HTTP status. */
  readonly status: number;
  /** The `Content-Type`. */
  readonly contentType: string | null;
  /** Whether the body ends in a newline. */
  readonly endsInNewline: boolean;
  /** The lines, without those that resemble an earlier one. */
  readonly lines: readonly string[];
}

/** The shapes of the answers of a recording. */
export function shapeOf(
  { exchanges, layers = [] }: PlayedScenario,
  dialect: DialectName,
): AnswerShape[] {
  const places = new Map(layers.map(({ digest }, index) => [digest, `layer ${index}`]));
  return exchanges.map((exchange) => {
    const text = textOf(exchange);
    const lines = text.split("\n").filter((line) => line !== "");
    const shapes = lines.map((line) => lineShape(JSON.parse(line), places));
    const { answer, end } = exchange;
    const status = answer?.status ?? 0;
    const isLeft = end.how === "left";
    return {
      status,
      contentType: answer?.contentType ?? null,
      // At which byte the client left depends on timing.
      lines: isLeft ? [] : timeless(shapes, status === 200 ? dialect : undefined),
      endsInNewline: isLeft || text.endsWith("\n"),
    };
  });
}

/** A line: its fields in order, with the predictable part of their values. */
function lineShape(object: Record<string, unknown>, places: ReadonlyMap<string, string>): string {
  const digest = String(object.digest ?? "");
  const place = places.get(digest) ?? (digest === "" ? "" : "another layer");
  const parts = Object.entries(object).map(([name, value]) => {
    switch (name) {
      case "status":
        return `status ${placed(String(value), digest)}`;
      case "digest":
        return digest.length < 64 ? `digest ${digest}` : `digest of ${place}`;
      case "completed":
        return value === object.total ? "all completed" : "some completed";
      case "total":
        return "total";
      default:
        return `${name} ${placed(String(value), digest)}`;
    }
  });
  return parts.join(", ");
}

/** A message without the parts that vary: digests, addresses, how TLS fails. */
function placed(words: string, digest: string): string {
  const short = shortDigest(digest);
  return (short.length === 12
    ? words.replaceAll(digest, "<digest>").replaceAll(short, "<short>")
    : words)
    .replace(/sha256:[0-9a-f]{64}/g, "<digest>")
    .replace(/\/\/[\w.:]+\/|"http:\/\/[^"]*"/g, "//<host>/")
    .replace(/^(model ").*(" not found)$/, "$1<name>$2")
    .replace(/(Get ".*"): .*$/, "$1: <reason>");
}

/** A line of a running download. Only the first layer is large enough to certainly have one. */
const GOES_ON = /of (layer [1-9]|another layer), total, some completed$/;

/** A line of a download that has not started. */
const BEGINS = /, total$/;

/**
 * Lines, without those that depend on timing, and each only once. If layers are downloaded at
 * the same time, the lines after the first have no fixed order.
 */
function timeless(lines: readonly string[], dialect: DialectName | undefined): string[] {
  const certain = lines.filter((line, index) => {
    return !GOES_ON.test(line) && lines.indexOf(line) === index;
  });
  if (dialect === undefined || dialects[dialect].layers !== "parallel") return certain;
  const first = certain.findIndex((line) => BEGINS.test(line));
  return certain.filter((line, index) => index <= first || !BEGINS.test(line))
    .sort((a, b) =>
      Number(a.startsWith("digest")) - Number(b.startsWith("digest")) || (a < b ? -1 : 1)
    );
}
