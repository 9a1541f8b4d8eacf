/**
 * The control: a command that breaks nothing.
 */

import { main } from "./client.mjs";

await main();
