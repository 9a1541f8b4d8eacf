/**
 * Serves viewers in Deno, in a process of its own. Prints its address.
 *
 * @module
 */

import process from "node:process";
import { createHandler, type HandlerOptions } from "./relay_handlers.ts";

const options: HandlerOptions = JSON.parse(process.argv[2]!);
Deno.serve({
  hostname: "127.0.0.1",
  port: 0,
  onListen: ({ hostname, port }) => console.log(`http://${hostname}:${port}`),
}, createHandler(options));
