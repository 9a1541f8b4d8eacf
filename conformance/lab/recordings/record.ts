/**
 * Records the reference server in its dialects, with nothing but Go on the machine:
 *
 * ```sh
 * deno run -A conformance/lab/recordings/record.ts
 * ```
 *
 * @module
 */

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { referenceServers } from "../interop/servers/reference.ts";
import { Workshop } from "../interop/workshop.ts";
import { type RecordedServer, RECORDINGS } from "./recording.ts";
import { play, scenarios } from "./scenarios.ts";

const workshop = new Workshop(fileURLToPath(new URL("../../../.cache/interop", import.meta.url)));

for (const subject of referenceServers) {
  const { name, version, dialect } = subject;
  const { implementation, close } = await subject.prepare(workshop);
  const recordings = [];
  try {
    for (const scenario of scenarios) recordings.push(await play(implementation, scenario));
  } finally {
    await close?.();
  }
  const server = `${name} ${version}`;
  const recorded: RecordedServer = { server, dialect, recordings };
  await writeFile(join(RECORDINGS, `${dialect}.json`), `${JSON.stringify(recorded)}\n`);
  console.log(`${server}: ${recordings.length} recordings`);
}
