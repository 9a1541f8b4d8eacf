/**
 * Takes an interrupt for a good end.
 */

import process from "node:process";
import { main } from "./client.mjs";

await main({ interrupt: () => process.exit(0) });
