/**
 * Shows that the package knows why a connection fails in every runtime, each of which says so in words of
 * its own; and that it goes on where the runtime itself gives up.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { createServer as createHttpServer, type RequestListener } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { type AddressInfo, createServer as createTcpServer, type Server } from "node:net";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { outputOf } from "../command.ts";
import { readText, ROOT } from "../project.ts";
import { reasonsOf } from "./failures.ts";
import { installWithNpm, TOOLS } from "./tarball.ts";

const nodes = Object.keys(TOOLS.nodes);
const consumer = await installWithNpm(
  ...nodes.map((alias) => `${alias}@npm:node@${TOOLS.nodes[alias as keyof typeof TOOLS.nodes]}`),
);
const servers: Server[] = [];

/** A certificate that nobody trusts, and its key, as PEM. */
async function makeCertificate(): Promise<{ key: string; cert: string }> {
  const folder = await Deno.makeTempDir();
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const kind = ["-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-days", "1"];
  try {
    await outputOf(["openssl", "req", ...kind, "-keyout", key, "-out", cert]);
    return { key: await Deno.readTextFile(key), cert: await Deno.readTextFile(cert) };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function portOf(server: Server): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

/** What a port with TLS answers to plain HTTP, in OpenSSL: an alert. */
const TLS_ALERT = new Uint8Array([0x15, 0x03, 0x01, 0x00, 0x02, 0x02, 0x46]);

const answer: RequestListener = (_, response) => void response.end();
const plain = await portOf(createHttpServer(answer));
const secure = await portOf(createHttpsServer(await makeCertificate(), answer));
const go = await portOf(createHttpServer((_, response) => {
  response.writeHead(400).end("Client sent an HTTP request to an HTTPS server.\n");
}));
const alerting = await portOf(createTcpServer((socket) => {
  socket.on("error", () => {}).once("data", () => socket.end(TLS_ALERT));
}));
const closing = await portOf(createTcpServer((socket) => {
  socket.on("error", () => {}).once("data", () => socket.end());
}));
const gone = createHttpServer(answer);
const unused = await portOf(gone);
await new Promise((resolve) => gone.close(resolve));

const HOSTS = {
  "nobody listens": `127.0.0.1:${unused}`,
  "nobody listens at a name": `localhost:${unused}`,
  "no such name": "http://no-such-host.invalid",
  "a certificate that is not trusted": `https://127.0.0.1:${secure}`,
  "TLS where there is none": `https://127.0.0.1:${plain}`,
  "no TLS where Go wants it": `http://127.0.0.1:${go}`,
  "no TLS where OpenSSL wants it": `http://127.0.0.1:${alerting}`,
  "closed without an answer": `http://127.0.0.1:${closing}`,
};

const REASONS = {
  "nobody listens": ["refused", true],
  "nobody listens at a name": ["refused", true],
  "no such name": ["name-not-resolved", true],
  "a certificate that is not trusted": ["certificate", false],
  "TLS where there is none": ["tls-mismatch", false],
  "no TLS where Go wants it": ["tls-mismatch", false],
  "no TLS where OpenSSL wants it": ["tls-mismatch", false],
  "closed without an answer": [null, true],
};

await consumer.write({
  "failures.ts": await readText(".ci/runtimes/failures.ts"),
  "reasons.ts": `import { reasonsOf } from "./failures.ts";\n` +
    `console.log(JSON.stringify(await reasonsOf(${JSON.stringify(HOSTS)})));\n`,
});
const bun = join(ROOT, "node_modules/.bin/bun");
await consumer.outputOf([
  bun,
  "build",
  "--target=node",
  "--packages=external",
  "reasons.ts",
  "--outfile=reasons.js",
]);

/** The reasons that a runtime finds, as a command of a user. */
const reasonsIn = async (...command: [string, ...string[]]) =>
  JSON.parse(await consumer.outputOf(command));

describe("why a connection fails", () => {
  after(async () => {
    for (const server of servers) server.close();
    await consumer[Symbol.asyncDispose]();
  });

  it("is known in Deno", async () => {
    assertEquals(await reasonsOf(HOSTS), REASONS as unknown);
  });

  for (const alias of nodes) {
    it(`is known in Node (${alias})`, async () => {
      assertEquals(await reasonsIn(`node_modules/${alias}/bin/node`, "reasons.js"), REASONS);
    });
  }

  it("is known in Bun, which does not tell an alert of TLS from a connection that is closed", async () => {
    const found = await reasonsIn(bun, "reasons.ts");
    assertEquals(found, { ...REASONS, "no TLS where OpenSSL wants it": [null, true] });
  });
});
