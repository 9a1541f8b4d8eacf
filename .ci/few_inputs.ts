/**
 * Has properties try few inputs, for a quick run of the tests. A property that names a number of its own
 * keeps it. (A limit of time would not do: on a busy machine it ends a property before its first input.)
 *
 * @module
 */

import fc from "fast-check";

fc.configureGlobal({ numRuns: 5 });
