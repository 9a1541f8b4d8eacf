/**
 * Exits on success at once. What a full pipe has not taken yet is lost.
 */

import process from "node:process";
import { main } from "./client.mjs";

await main({ succeed: () => process.exit(0) });
