/**
 * What is wrong with the configuration of a mock, thrown when the mock is made.
 *
 * @module
 */

import { excerptOf, quote } from "../src/text.ts";

/** A mock cannot be made, or changed, as the configuration says. The message says what is possible. */
export class ConfigurationError extends Error {
  /** Always `"ConfigurationError"`. */
  override readonly name = "ConfigurationError";
}

/** A value of an option as messages show it: a string in quotes, an object as the start of its JSON. */
export function show(value: unknown): string {
  if (typeof value === "string") return quote(value);
  if (typeof value === "function") return "a function";
  if (typeof value !== "object" || value === null) return String(value);
  try {
    return excerptOf(JSON.stringify(value));
  } catch {
    return "an object"; // one that contains itself, or a bigint
  }
}
