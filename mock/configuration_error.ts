/**
 * The error for a configuration that the mock cannot use.
 *
 * @module
 */

import { excerptOf, quote } from "../src/text.ts";

/**
 * The mock cannot be created or changed with this configuration. The message says which values are allowed.
 */
export class ConfigurationError extends Error {
  /** Always `"ConfigurationError"`. */
  override readonly name = "ConfigurationError";
  /**
   * The option, and the place in it: `models[1]`, `tickMs`. `undefined` if the call itself makes it clear.
   */
  readonly place: string | undefined;

  /** Creates the error, with an optional place and cause. */
  constructor(message: string, options: ErrorOptions & { place?: string | undefined } = {}) {
    super(message, options);
    this.place = options.place;
  }
}

/**
 * Runs code that handles one place of the options, and adds that place to its error.
 *
 * @throws {ConfigurationError} The error of `run`, with the place unless it already names one.
 */
export function inPlace<Result>(place: string, run: () => Result): Result {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof ConfigurationError) || error.place !== undefined) throw error;
    throw new ConfigurationError(error.message, { place, cause: error });
  }
}

/** An option's value as messages show it: strings in quotes, objects as the start of their JSON. */
export function show(value: unknown): string {
  if (typeof value === "string") return quote(value);
  if (typeof value === "function") return "a function";
  if (typeof value !== "object" || value === null) return String(value);
  try {
    return excerptOf(JSON.stringify(value));
  } catch {
    return "an object"; // it contains itself or a bigint
  }
}
