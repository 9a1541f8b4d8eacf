/**
 * A mock in a process of its own, for `mock.ts`: prints its port, and the processor time that it has taken,
 * in milliseconds, whenever something comes on standard input.
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
