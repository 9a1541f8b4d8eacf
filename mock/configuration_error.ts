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
  /** The option, and where in it: `models[1]`, `tickMs`. `undefined` where that is known from the call. */
  readonly place: string | undefined;

  /** Takes the message, and what is known besides. */
  constructor(message: string, options: ErrorOptions & { place?: string | undefined } = {}) {
    super(message, options);
    this.place = options.place;
  }
}

/**
 * Runs something that is about one place of the options, and names the place in its error.
 *
 * @throws {ConfigurationError} What it throws, with the place unless that names one already.
 */
export function inPlace<Result>(place: string, run: () => Result): Result {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof ConfigurationError) || error.place !== undefined) throw error;
    throw new ConfigurationError(error.message, { place, cause: error });
  }
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
