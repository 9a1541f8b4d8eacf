/**
 * Has properties try few inputs, for a quick run of the tests. Those that name a number of their own keep it.
 *
 * @module
 */

import fc from "fast-check";

fc.configureGlobal({ numRuns: 5 });
