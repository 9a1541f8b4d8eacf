/**
 * What is wrong with the configuration of a mock, told when the mock is made.
 *
 * @module
 */

/** A mock was asked for something that it cannot be or do. */
export class ConfigurationError extends Error {
  /** Always `"ConfigurationError"`. */
  override readonly name = "ConfigurationError";
}
