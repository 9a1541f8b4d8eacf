/**
 * Records the reference server in its dialects, with nothing but Go on the machine:
 *
 * ```sh
 * deno run -A conformance/lab/recordings/record.ts
 * ```
 *
 * @module
 */

import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { referenceServers } from "../interop/servers/reference.ts";
import { Workshop } from "../interop/workshop.ts";
import { formatRecording } from "../../../mock/recordings/format.ts";
import { fileOf, RECORDINGS } from "./recording.ts";
import { play, scenarios } from "./scenarios.ts";

const workshop = new Workshop(fileURLToPath(new URL("../../../.cache/interop", import.meta.url)));
const config = new URL("../../../deno.json", import.meta.url);
const { version } = JSON.parse(await readFile(config, "utf8"));

for (const subject of referenceServers) {
  const { name, dialect } = subject;
  const { implementation, close } = await subject.prepare(workshop);
  const folder = join(RECORDINGS, dialect);
  await mkdir(folder, { recursive: true });
  const header = {
    recordedAt: new Date().toISOString(),
    recordedBy: `@ollama-pull/kit ${version}`,
    server: `${name} ${subject.version}`,
  };
  try {
    for (const scenario of scenarios) {
      const recording = { ...await play(implementation, scenario), ...header };
      await writeFile(join(folder, fileOf(scenario.name)), formatRecording(recording));
    }
  } finally {
    await close?.();
  }
  console.log(`${header.server}: ${scenarios.length} recordings`);
}
