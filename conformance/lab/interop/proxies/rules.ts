/**
 * Rules about what a reverse proxy does to a pull that its client alone cannot see: what becomes of the
 * request behind it, and what it does with silence.
 *
 * @module
 */

import fc from "fast-check";
import { request } from "node:http";
import { type CheckRun, type Rule, rule, Violation } from "../../../rule.ts";
import type { OpenServer, ServerSetup } from "../../../server/subject.ts";
import { requireSuccess } from "../../../server/plain_pull.ts";
import { ask, beginPull, pullAll, pullBody } from "../../../server/transcript.ts";
import type { ProxiedMock } from "./proxied_mock.ts";

const PULL = "/api/pull";

/** A model whose pull takes some time, and one whose pull takes none. */
const SETUP: ServerSetup = { layers: [40_000_000] };
const SMALL_SETUP: ServerSetup = { layers: [1_000] };

/** A rule that is tried once: what a proxy does hardly depends on what is in a pull. */
function proxyRule(
  info: Pick<Rule<ProxiedMock>, "id" | "title" | "cites">,
  setup: ServerSetup,
  check: (subject: ProxiedMock, server: OpenServer, run: CheckRun) => Promise<void>,
): Rule<ProxiedMock> {
  return rule<ProxiedMock, ServerSetup>({
    ...info,
    side: "server",
    level: "should",
    maxRuns: 1,
    inputs: fc.constant(setup),
    check: async (subject, setup, run) => {
      await check(subject, await subject.open(setup), run);
    },
  });
}

const LEAVING = "observed: a download is cancelled when its last caller leaves, and not before";

/** Throws unless the mock hears soon that the client of its only pull has left. */
async function requireCancelled(
  { mock, leftWithinMs }: ProxiedMock,
  shown: string,
): Promise<void> {
  const signal = AbortSignal.timeout(leftWithinMs);
  const request = await mock.requestEnded(1, { path: PULL, signal }).catch(() => undefined);
  if (request?.outcome === "cancelled") return;
  const seen = request?.outcome ?? `running ${leftWithinMs} ms later`;
  throw new Violation("the request to the server to be cancelled", seen, [{ request: shown }]);
}

/** Asks for a pull, leaves when it has come half-way, where the server falls silent, and looks. */
async function leaveInSilence(
  subject: ProxiedMock,
  server: OpenServer,
  fields: Readonly<Record<string, unknown>>,
): Promise<void> {
  const hold = subject.mock.hold();
  const controller = new AbortController();
  const body = JSON.stringify(pullBody(server, fields));
  const init = { method: "POST", body, signal: controller.signal };
  const answer = server.fetch(PULL, init).then((response) => response.text());
  await Promise.race([hold.reached, answer]);
  controller.abort();
  await answer.catch(() => "the client has left");
  try {
    await requireCancelled(subject, `POST ${PULL} ${body}`);
  } finally {
    hold.release();
  }
}

/** The rules. */
export const proxyRules: readonly Rule<ProxiedMock>[] = [
  proxyRule(
    {
      id: "P-LEAVE-1",
      title: "A client that leaves while lines come ends the request to the server",
      cites: LEAVING,
    },
    { layers: [400_000_000] },
    async (subject, server, run) => {
      const pulling = await beginPull(server, run);
      await pulling.readUntil(({ length }) => length > 1);
      const { exchange } = pulling.transcript();
      await pulling.leave();
      await requireCancelled(subject, exchange.request);
    },
  ),
  proxyRule(
    {
      id: "P-LEAVE-2",
      title: "A client that leaves while the server is silent ends the request to the server",
      cites: LEAVING,
    },
    SETUP,
    (subject, server) => leaveInSilence(subject, server, { stream: true }),
  ),
  proxyRule(
    {
      id: "P-LEAVE-3",
      title: "A client that leaves before there is an answer ends the request to the server",
      cites: LEAVING,
    },
    SETUP,
    (subject, server) => leaveInSilence(subject, server, { stream: false }),
  ),
  proxyRule(
    {
      id: "P-BREAK-1",
      title: "An answer that the server breaks off is broken off for the client",
      cites: "RFC 9112, 8: a chunked message without its last chunk is incomplete",
    },
    { ...SETUP, faults: [{ kind: "reset", at: { completed: "50%" } }] },
    async (_subject, server, run) => {
      const { exchange } = await pullAll(server, run);
      if (exchange.answer?.ending === "reset") return;
      throw new Violation("a connection that breaks", "an answer that ends", [exchange]);
    },
  ),
  proxyRule(
    {
      id: "P-HOST-1",
      title: "The server is asked by a name of its own machine",
      cites: "observed: on a loopback address, it answers 403 to names of other machines",
    },
    SMALL_SETUP,
    async ({ url, mock }, server) => {
      const body = JSON.stringify(pullBody(server));
      await postAs("ollama.example.com", new URL(PULL, url), body);
      const host = mock.requests[0]?.headers.get("host") ?? "no request";
      if (/^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/.test(host)) return;
      throw new Violation("localhost", host, [{ request: `POST ${PULL} ${body}` }]);
    },
  ),
  proxyRule(
    {
      id: "P-SIZE-1",
      title: "A request of several megabytes reaches the server",
      cites: "observed: a file of a model that is made is sent whole, to /api/blobs",
    },
    SMALL_SETUP,
    async ({ mock }, server, run) => {
      const body = pullBody(server, { padding: "x".repeat(REQUEST_BYTES) });
      const { status } = await (await ask(server, { body }, run)).readAll();
      if (mock.requests.length === 1) return;
      const request = `POST ${PULL} with ${REQUEST_BYTES} bytes`;
      throw new Violation("a request that reaches the server", `HTTP ${status}`, [{ request }]);
    },
  ),
];

const REQUEST_BYTES = 3_000_000;

/** Sends a request by the name of another host, and reads the answer: `fetch` sends the name in the URL. */
function postAs(host: string, url: URL, body: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { method: "POST", headers: { Host: host } }, (answer) => {
      answer.resume().once("end", resolve).once("error", reject);
    });
    asked.once("error", reject).end(body);
  });
}

/** How long the server is silent: longer than any proxy waits by default. */
const SILENCE_MS = 65_000;

/** Rules that take minutes. */
export const patientRules: readonly Rule<ProxiedMock>[] = [
  ...[true, false].map((stream) =>
    proxyRule(
      {
        id: stream ? "P-SILENCE-1" : "P-SILENCE-2",
        title: `A pull ${stream ? "with" : "without"} a stream outlives a minute of silence`,
        cites: "observed: nothing is sent while a layer is verified, which takes minutes",
      },
      { ...SMALL_SETUP, faults: [{ kind: "stall", at: { completed: "50%" }, ms: SILENCE_MS }] },
      async (subject, server, run) => {
        const pulling = await ask(server, { body: pullBody(server, { stream }) }, run);
        await requireSuccess(subject, await pulling.readAll(), run);
      },
    )
  ),
];

/** How long the check of one input of {@link patientRules} may take. */
export const PATIENCE_MS: number = SILENCE_MS + 15_000;
