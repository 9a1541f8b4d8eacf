/**
 * Model names in requests, which may end in a source that says where the model runs.
 *
 *     " gpt-oss:20b:cloud " ── source ──▶ "gpt-oss:20b-cloud" ── parts ──▶ ModelName
 *
 * Surrounding white space is ignored. `x:cloud` stays as it is, `x:20b:cloud` means `x:20b-cloud`, and
 * `x:local` means `x` (observed since v0.30: `ParseRef` and `NormalizePullName` in its `internal/modelref`).
 * Older servers do not interpret sources.
 *
 * @module
 */

import type { Dialect } from "../../src/dialects.ts";
import { hasTwoSources, parseModelName as parseNameWithSource } from "../../src/model_name.ts";
import { Refusal } from "../exchange/refusal.ts";
import { quoteGo } from "../go_json/quote.ts";
import { type ModelName, parseModelName } from "../models/model_name.ts";

/** The message of most endpoints for an invalid name. */
export const INVALID_NAME = "invalid model name";

/** Why a name cannot be used: it is missing, has two sources, or is invalid. */
export type NameProblem = "missing" | "conflicting" | "invalid";

/** An endpoint's messages for names that it refuses. */
export interface NameWords {
  readonly missing: string;
  readonly invalid: string;
}

/** Reads the name in a request as a server with this dialect does. */
export function readName(text: string, { names }: Dialect): ModelName | NameProblem {
  if (text === "") return "missing";
  if (names === "plain") return parseModelName(text) ?? "invalid";
  const trimmed = text.trim();
  if (trimmed === "") return "missing";
  if (hasTwoSources(trimmed)) return "conflicting";
  try {
    return parseNameWithSource(trimmed);
  } catch {
    return "invalid";
  }
}

/**
 * Reads the name for an endpoint that tells its client what is wrong.
 *
 * @throws {Refusal} If the name cannot be used.
 */
export function requireName(text: string, dialect: Dialect, words: NameWords): ModelName {
  const name = readName(text, dialect);
  if (typeof name !== "string") return name;
  // Observed: `ErrConflictingSourceSuffix`.
  const conflicting = `use either :local or :cloud, not both: ${quoteGo(text.trim())}`;
  throw new Refusal(400, { ...words, conflicting }[name]);
}
