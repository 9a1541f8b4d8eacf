/**
 * Shows that the package finds out why a connection fails in every runtime, each of which has its own error
 * messages, and that it goes on where the runtime itself gives up.
 *
 * @module
 */

import { assertEquals, assertMatch } from "@std/assert";
import {
  createServer as createHttpServer,
  type RequestListener,
  type Server as HttpServer,
  type ServerResponse,
} from "node:http";
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

/** OpenSSL's answer to plain HTTP at a TLS port: an alert. */
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

/** The limit on silence for Node's `fetch` in these tests, instead of 300 s. */
const LIMIT_MS = 300;

/** Gives Node's `fetch` short limits. Node 26 stores its dispatcher under a new name. */
const SHORT_LIMITS = `
const { fetch } = globalThis;
await fetch("data:,");
const { constructor: Agent } = [2, 1]
  .map((version) => globalThis[Symbol.for("undici.globalDispatcher." + version)])
  .find((dispatcher) => dispatcher);
const dispatcher = new Agent({ headersTimeout: ${LIMIT_MS}, bodyTimeout: ${LIMIT_MS} });
globalThis.fetch = (url, init) => fetch(url, { ...init, dispatcher });
`;

const layer = { status: "pulling a", digest: `sha256:${"a".repeat(64)}`, total: 4e6 };
const lines = (...statuses: object[]) =>
  statuses.map((line) => `${JSON.stringify(line)}\n`).join("");
const MANIFEST = lines({ status: "pulling manifest" });
const HALF = lines({ ...layer, completed: 1e6 }, { ...layer, completed: 2e6 });
const WHOLE = lines({ ...layer, completed: 4e6 }, { status: "success" });

/** Answers one request after another. */
function answerInTurn(...answers: ((response: ServerResponse) => void)[]): Promise<number> {
  return portOf(createHttpServer((_, response) => answers.shift()!(response)));
}

await consumer.write({
  "limits.js": SHORT_LIMITS,
  "retries.ts": 'import { retriesOf } from "./failures.ts";\n' +
    "console.log(JSON.stringify(await retriesOf(process.argv[2])));\n",
  "failures.ts": await readText(".ci/runtimes/failures.ts"),
  "reasons.ts": `import { reasonsOf } from "./failures.ts";\n` +
    `console.log(JSON.stringify(await reasonsOf(${JSON.stringify(HOSTS)})));\n`,
});
const bun = join(ROOT, "node_modules/.bin/bun");
const forNode = ["--target=node", "--packages=external", "--outdir=."];
await consumer.outputOf([bun, "build", "reasons.ts", "retries.ts", ...forNode]);

/** The result of a program in a runtime. */
const findingsIn = async (...command: [string, ...string[]]) =>
  JSON.parse(await consumer.outputOf(command));

describe("connections that fail", () => {
  after(async () => {
    for (const server of servers) {
      server.close();
      if ("closeAllConnections" in server) (server as HttpServer).closeAllConnections();
    }
    await consumer[Symbol.asyncDispose]();
  });

  describe("why a connection fails", () => {
    it("is known in Deno", async () => {
      assertEquals(await reasonsOf(HOSTS), REASONS as unknown);
    });

    for (const alias of nodes) {
      it(`is known in Node (${alias})`, async () => {
        assertEquals(await findingsIn(`node_modules/${alias}/bin/node`, "reasons.js"), REASONS);
      });
    }

    it("is known in Bun, which does not distinguish a TLS alert from a closed connection", async () => {
      const found = await findingsIn(bun, "reasons.ts");
      assertEquals(found, { ...REASONS, "no TLS where OpenSSL wants it": [null, true] });
    });
  });

  describe("the limits of Node's fetch", () => {
    for (const alias of nodes) {
      const node = [`node_modules/${alias}/bin/node`, "--import", "./limits.js"] as const;

      it(`are recognized, and the pull resumes (${alias})`, async () => {
        const port = await answerInTurn(
          () => {}, // no headers
          (response) => void response.write(MANIFEST + HALF), // then nothing
          (response) => void response.end(MANIFEST + HALF + WHOLE),
        );
        assertEquals(await findingsIn(...node, "retries.js", `http://127.0.0.1:${port}`), {
          reasons: ["runtime-limit", "runtime-limit"],
          fraction: 1,
        });
      });

      it(`do not apply to the command (${alias})`, async () => {
        const port = await answerInTurn((response) => {
          setTimeout(() => response.write(MANIFEST + HALF), LIMIT_MS * 4);
          setTimeout(() => response.end(WHOLE), LIMIT_MS * 8);
        });
        const cli = [
          "node_modules/.bin/ollama-pull",
          "pull",
          "a",
          "--host",
          `:${port}`,
          "--retries=0",
        ];
        const printed = await consumer.outputOf([...node, ...cli]);
        assertMatch(printed, /\nsuccess\na: 4\.0 MB in /);
      });
    }
  });
});
