/**
 * A mock in a separate process, for `mock.ts`: prints its port, and the CPU time it has used, in
 * milliseconds, whenever it receives something on standard input.
 *
 * @module
 */

import process from "node:process";
import { createMockServer } from "../mock/mod.ts";

const server = createMockServer({
  models: [{ name: "m", layers: [{ size: 6e12 }] }],
  dialect: "v0.33",
  bytesPerSecond: Number(process.argv[2]),
});
const { url } = await server.listen();
process.stdout.write(new URL(url).port);
process.stdin.on("data", () => {
  const { user, system } = process.cpuUsage();
  process.stdout.write(String((user + system) / 1_000));
});
