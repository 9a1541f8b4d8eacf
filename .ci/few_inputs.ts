/**
 * Makes properties try only a few inputs, for a quick run of the tests. A property with its own number
 * keeps it. (A time limit would not work: on a busy machine it could end a property before its first input.)
 *
 * @module
 */

import fc from "fast-check";

fc.configureGlobal({ numRuns: 5 });
