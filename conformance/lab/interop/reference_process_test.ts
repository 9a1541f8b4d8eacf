import { assertEquals, assertRejects } from "@std/assert";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { describe, it } from "node:test";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ReferenceProcess } from "./reference_process.ts";

/** Does something with a program that stands in for the server, and ends it. */
async function withProgram(
  script: string,
  work: (server: ReferenceProcess, folder: string) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "program-"));
  const program = join(folder, "program");
  await writeFile(program, `#!/bin/sh\n${script}\n`);
  await chmod(program, 0o755);
  const server = new ReferenceProcess({ program, env: { FOLDER: folder } });
  try {
    await work(server, folder);
  } finally {
    await server.close();
    await rm(folder, { recursive: true });
  }
}

const LISTENING = 'echo "Listening on 127.0.0.1:4321 (version 0)" >&2';

describe("the process of the reference server", () => {
  it("prints its address once it listens, and is started once", async () => {
    await withProgram(`${LISTENING}; exec sleep 60`, async (server) => {
      assertEquals(await server.url(), "http://127.0.0.1:4321");
      assertEquals(await server.url(), "http://127.0.0.1:4321");
    });
  });

  it("is called as a server, with folders and a port of its own", async () => {
    const script = `test "$1" = serve && test "$OLLAMA_MODELS" = "$HOME/models" &&
      test "$OLLAMA_HOST" = 127.0.0.1:0 && test "$PWD" = "$HOME" && ${LISTENING} && exec sleep 60`;
    await withProgram(script, async (server) => void await server.url());
  });

  it("is started again when it has crashed", async () => {
    const script =
      `if ! test -e "$FOLDER/again"; then touch "$FOLDER/again"; ${LISTENING}; exit 2; fi
      echo "Listening on 127.0.0.1:4322"; exec sleep 60`;
    await withProgram(script, async (server) => {
      assertEquals(await server.url(), "http://127.0.0.1:4321");
      await server.ended;
      assertEquals(await server.url(), "http://127.0.0.1:4322");
    });
  });

  it("that does not come up says why", async () => {
    await withProgram("echo 'no room'; exit 3", async (server) => {
      await assertRejects(() => server.url(), Error, "The server has ended (3): no room");
    });
  });
});
