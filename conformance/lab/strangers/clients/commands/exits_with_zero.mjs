/**
 * Says on standard error what went wrong, and exits with 0.
 */

import process from "node:process";
import { main } from "./client.mjs";

await main({ fail: (message) => process.stderr.write(`${message}\n`) });
