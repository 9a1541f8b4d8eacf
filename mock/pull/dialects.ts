/**
 * Chooses the dialect of a mock.
 *
 * @module
 */

import { type Dialect, type DialectName, dialects } from "../../src/dialects.ts";
import { ConfigurationError, show } from "../configuration_error.ts";

/** The dialect of a name. */
export function dialectNamed(name: string): Dialect {
  if (Object.hasOwn(dialects, name)) return dialects[name as DialectName];
  const names = Object.keys(dialects).join(", ");
  throw new ConfigurationError(`Cannot use the dialect ${show(name)}: it must be one of ${names}`);
}
