import { assert, assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "node:test";
import { ownClient } from "../lab/interop/own.ts";
import { rawFetch } from "../lab/zoo/raw_fetch.ts";
import { isBroken, type Verdict } from "../report.ts";
import { CannotRun } from "../rule.ts";
import { serverRules } from "../server/suite.ts";
import { start } from "./observation.ts";
import { ScriptedServer } from "./scripted_server.ts";
import type { ClientSubject } from "./subject.ts";
import { clientRules, closeClient, openClient, runClientConformance } from "./suite.ts";
import { encode } from "./wire_bytes.ts";

describe("the rules", () => {
  const rules = [...clientRules, ...serverRules];

  it("have an id each, which says whose they are", () => {
    assertEquals(new Set(rules.map(({ id }) => id)).size, rules.length);
    for (const { id, side } of rules) {
      assert(/^[CS]-[A-Z0-9]+-[1-9]\d*$/.test(id) && id[0] === side[0]!.toUpperCase(), id);
    }
  });

  it("are a must where the spec says so, and cite it", () => {
    for (const { id, level, cites } of rules) {
      assert(level !== "must" || /^(spec: "|RFC \d+, )/.test(cites), id);
      assert(level !== "observed" || /observed: /.test(cites), id);
    }
  });
});

/** A run of all rules takes longer on a busy machine than runners allow by default. */
const PATIENT = { timeout: 60_000 };

describe("runClientConformance", () => {
  it("ends a client that hangs, and cancels it", async () => {
    const signals: AbortSignal[] = [];
    const hanging: ClientSubject = {
      name: "hanging",
      reports: "statuses",
      transport: "in-process",
      pull: ({ signal }) =>
        new Promise((_, reject) => {
          signals.push(signal);
          signal.addEventListener("abort", () => reject(signal.reason));
        }),
    };
    const options = { rules: ["C-FRAME-1"], checkTimeoutMs: 20 };
    const { results: [result] } = await runClientConformance(hanging, options);
    assertEquals(result?.verdict, "hung");
    // One of the plain pull, and one of the rule.
    assertEquals(signals.map(({ aborted }) => aborted), [true, true]);

    const slow = { ...hanging, checkTimeoutMs: 10 };
    const own = await runClientConformance(slow, { rules: ["C-FRAME-1"] });
    assertEquals(own.results[0]?.failure?.expected, "the client to end within 0.01 s");
    const overridden = await runClientConformance(slow, options);
    assertEquals(overridden.results[0]?.failure?.expected, "the client to end within 0.02 s");
  });

  it("cannot test a client that asks for no pull, and says what it did instead", async () => {
    const idle = (pull: ClientSubject["pull"]): ClientSubject => ({
      ...ownClient("in-process"),
      pull,
    });
    await assertRejects(
      () => runClientConformance(idle(() => Promise.resolve())),
      CannotRun,
      "Cannot test the client: it reported success without requesting a pull",
    );
    await assertRejects(
      () => runClientConformance(idle(() => Promise.reject(new Error("no port")))),
      CannotRun,
      "Cannot test the client: it failed before it requested a pull: no port. It must send its request to http://",
    );
  });

  it(
    "sees nothing where a client fails at everything, and blames the plain pull",
    PATIENT,
    async () => {
      const failing: ClientSubject = {
        ...ownClient("in-process"),
        reports: "statuses",
        async pull({ host, fetch, model, signal }) {
          const body = JSON.stringify({ model });
          await fetch(`${host.replace(/\/$/, "")}/api/pull`, { method: "POST", body, signal });
          throw new Error("never");
        },
      };
      const { results } = await runClientConformance(failing, { runs: 1, seed: 1 });
      const withVerdict = (verdict: Verdict) =>
        results.filter((result) => result.verdict === verdict);
      assertEquals(
        withVerdict("kept").map(({ id }) => id),
        [1, 2, 3, 4, 6].map((n) => `C-REQ-${n}`),
      );
      const [first, ...others] = withVerdict("broken").filter(({ because }) =>
        because === undefined
      );
      assertEquals([first?.id, others.length], ["C-DIALECT-1", 0]);
      assertEquals(withVerdict("not seen").length > 15, true);
    },
  );

  it("asks a client that gives no updates for its outcome alone", async () => {
    const client: ClientSubject = { ...ownClient("in-process"), reports: "outcome" };
    const { results } = await runClientConformance(client, { runs: 3, seed: 1 });
    assertEquals(results.filter(isBroken), []);
    assertEquals(results.filter(({ verdict }) => verdict === "skipped").map(({ id }) => id), [
      "C-REQ-3",
      "C-FRAME-1",
      "C-OBJ-5",
      "C-HTTP-6",
      "C-DONE-2",
      "C-TIME-3",
      ...[1, 2, 3, 4, 5, 6].map((number) => `C-SUM-${number}`),
    ]);
  });

  it("takes `null` for a `stream` that is absent, and `false` for a single object", async () => {
    const verdictOf = async (stream: unknown) => {
      const client: ClientSubject = {
        name: "client",
        reports: "statuses",
        transport: "in-process",
        async pull({ host, fetch, model }) {
          const body = JSON.stringify({ model, stream });
          await (await fetch(`${host}/api/pull`, { method: "POST", body })).text();
        },
      };
      const { results } = await runClientConformance(client, { rules: ["C-REQ-3"], runs: 1 });
      return results[0]?.verdict;
    };
    assertEquals(
      await Promise.all([undefined, null, true, false, "true"].map(verdictOf)),
      ["kept", "kept", "kept", "broken", "broken"],
    );
  });

  it("leaves no pull behind", async () => {
    const client = await openClient(ownClient("network"));
    const check = new AbortController();
    const script = { chunks: [encode('{"status":"pulling manifest"}\n')], ending: "hang" } as const;
    const running = start(client, script, {
      signal: check.signal,
      graceMs: 0,
      saw: () => {},
      awaits: () => {},
    });
    await running.settled();
    assertEquals(client.running.size, 1);
    check.abort();
    await closeClient(client);
    assertEquals(client.running.size, 0);
    assert((await running.result).failure !== undefined);
  });
});

describe("a scripted server", () => {
  /** Does something with one that listens. */
  async function listening(work: (server: ScriptedServer) => Promise<void>): Promise<void> {
    const server = new ScriptedServer();
    await server.listen();
    try {
      await work(server);
    } finally {
      await server.close();
    }
  }

  const ask = (server: ScriptedServer, model: string, init: RequestInit = {}) =>
    fetch(`${server.host}/api/pull`, { method: "POST", body: JSON.stringify({ model }), ...init });

  it("keeps the chunks of a script apart on a network", async () => {
    await listening(async (server) => {
      const chunks = Array.from({ length: 40 }, () => encode("chunk"));
      const counts: number[] = [];
      // On a machine that stands still now and then, some chunks arrive together.
      while (counts.length < 10 && !counts.some((count) => count > 30)) {
        const { body } = await ask(server, server.play({ chunks, paced: true }).model);
        let count = 0;
        for await (const _chunk of body!) count++;
        counts.push(count);
      }
      assert(counts.some((count) => count > 30), `of 40 chunks, ${counts} arrived by themselves`);
    });
  });

  it("breaks the connection where a script says so", async () => {
    await listening(async (server) => {
      const play = server.play({ chunks: [encode("half")], ending: "reset" });
      const failure = await ask(server, play.model).then((response) => response.text())
        .catch((error) => error);
      assert(failure instanceof Error, String(failure));
    });
  });

  it("says how long a body is, and sends less if the connection breaks", async () => {
    await listening(async (server) => {
      const chunks = [encode("half"), encode(" done")];
      const whole = await ask(server, server.play({ chunks, framing: "length" }).model);
      assertEquals([whole.headers.get("Content-Length"), await whole.text()], ["9", "half done"]);
      const script = { chunks, framing: "length", ending: "reset" } as const;
      const failure = await ask(server, server.play(script).model)
        .then((response) => response.text()).catch((error) => error);
      assert(failure instanceof Error, String(failure));
    });
  });

  it("breaks the connection of the first attempt alone, and shows it so", async () => {
    const server = new ScriptedServer();
    const play = server.play({ chunks: [encode("half"), encode(" done")], breakFirstAfter: 1 });
    const init = { method: "POST", body: JSON.stringify({ model: play.model }) };
    const ask = async () => await (await server.fetch(`${server.host}/api/pull`, init)).text();
    await assertRejects(ask, TypeError, "broke");
    assertEquals(await ask(), "half done");
    assertEquals(
      play.requests.map((request) => play.exchangeOf(request).answer)
        .map((answer) => [answer?.chunks, answer?.ending]),
      [[["half"], "reset"], [["half", " done"], "end"]],
    );
  });

  it("repeats its last chunks in turn", async () => {
    const server = new ScriptedServer();
    const chunks = ["a", "b", "c"].map(encode);
    const play = server.play({ chunks, ending: "repeat", repeated: 2, repeatMs: 1 });
    const init = { method: "POST", body: JSON.stringify({ model: play.model }) };
    const { body } = await server.fetch(`${server.host}/api/pull`, init);
    let text = "";
    for await (const chunk of body!) {
      text += new TextDecoder().decode(chunk);
      if (text.length === 7) break;
    }
    assertEquals(text, "abcbcbc");
  });

  it("compresses an answer if the request allows it", async () => {
    await listening(async (server) => {
      const answerTo = async (acceptEncoding: string) => {
        const { model } = server.play({ chunks: [encode("whole")], coding: "gzip" });
        const body = JSON.stringify({ model });
        const headers = { "Accept-Encoding": acceptEncoding };
        const init = { method: "POST", body, headers };
        const response = await rawFetch(`${server.host}/api/pull`, init);
        return new Uint8Array(await response.arrayBuffer());
      };
      const plain = encode("whole");
      for (const none of ["identity", "br, deflate", "gzip;q=0, br", "gzip; q=0.000"]) {
        assertEquals(await answerTo(none), plain, none);
      }
      for (const allowing of ["gzip", "br, GZIP;q=0.5", "deflate,gzip"]) {
        const bytes = await answerTo(allowing);
        assertEquals([...bytes.slice(0, 2)], [0x1f, 0x8b], allowing);
        const text = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
        assertEquals(await new Response(text).text(), "whole");
      }
    });
  });

  it("sends a client elsewhere once, on a network and in process", async () => {
    const redirect = { status: 307, location: "/moved/api/pull" } as const;
    const pathsOf = async (server: ScriptedServer, fetch: ScriptedServer["fetch"]) => {
      const play = server.play({ chunks: [encode("there")], redirect });
      const init = { method: "POST", body: JSON.stringify({ model: play.model }) };
      const response = await fetch(`${server.host}/api/pull`, init);
      assertEquals(await response.text(), "there");
      return play.requests.map(({ method, path, body }) => `${method} ${path} ${body.length > 0}`);
    };
    const expected = ["POST /api/pull true", "POST /moved/api/pull true"];
    await listening(async (server) => assertEquals(await pathsOf(server, fetch), expected));
    const server = new ScriptedServer();
    assertEquals(await pathsOf(server, server.fetch), expected);

    const play = server.play({ chunks: [], redirect });
    const init = { method: "POST", body: JSON.stringify({ model: play.model }) };
    const manual = new Request(`${server.host}/api/pull`, { ...init, redirect: "manual" });
    assertEquals((await server.fetch(manual)).status, 307);
    const strict = server.play({ chunks: [], redirect });
    const body = JSON.stringify({ model: strict.model });
    const refused = new Request(`${server.host}/api/pull`, { ...init, body, redirect: "error" });
    await assertRejects(() => server.fetch(refused), TypeError, "redirect");
  });

  it("names a model as it is told to, and knows it again", async () => {
    const server = new ScriptedServer();
    const nameModel = (id: string) => `Team/${id}:7B "x"`;
    const play = server.play({ chunks: [encode("mine")], nameModel });
    server.play({ chunks: [encode("another")] });
    assertEquals(play.model, 'Team/subject-1:7B "x"');
    const init = { method: "POST", body: JSON.stringify({ model: play.model }) };
    assertEquals(await (await server.fetch(`${server.host}/api/pull`, init)).text(), "mine");
  });

  for (const how of ["abort", "cancel"] as const) {
    it(`notices a client that leaves a silent answer by ${how}`, async () => {
      await listening(async (server) => {
        const play = server.play({ chunks: [], ending: "hang" });
        const controller = new AbortController();
        const { body } = await ask(server, play.model, { signal: controller.signal });
        if (how === "abort") controller.abort();
        else await body!.cancel();
        await play.closedByClient;
      });
    });
  }

  it("knows a model by its name with a tag, and not by the start of a longer one", async () => {
    const server = new ScriptedServer();
    const plays = Array.from(
      { length: 12 },
      (_, index) => server.play({ chunks: [encode(String(index))] }),
    );
    const ask = async (model: string) => {
      const body = JSON.stringify({ model });
      const init = { method: "POST", body };
      return await (await server.fetch(new Request(`${server.host}/api/pull`, init))).text();
    };
    assertEquals(await ask(`${plays[0]!.model}:latest`), "0");
    assertEquals(await ask(plays[11]!.model), "11");
  });

  it("answers those who ask whether it is there", async () => {
    const server = new ScriptedServer();
    server.play({ chunks: [encode("a pull")] });
    const response = await server.fetch(new Request(`${server.host}/api/version`));
    assertEquals(await response.json(), { version: "0.34.1" });
  });
});
