/**
 * What is recorded of a server: short plays of a client and a registry, the same for every server. The
 * mock can be given them, too.
 *
 * @module
 */

import type { Fault } from "../../../mock/faults/faults.ts";
import type { OpenServer, ServerSetup, ServerSubject } from "../../server/subject.ts";
import { absentModel, pullBody } from "../../server/transcript.ts";
import type {
  RecordedChunk,
  RecordedExchange,
  Recording,
} from "../../../mock/recordings/recording.ts";
import { bodyOf } from "../body.ts";

/** A play. */
export interface Scenario {
  /** Its name. */
  readonly name: string;
  /** What goes wrong. */
  readonly faults?: readonly Fault[];
  /** What the client does. */
  readonly play: (stage: Stage) => Promise<void>;
}

/** Layers that take some ticks, a few, and none. */
const LAYERS: readonly number[] = [30_000_000, 12_000_000, 2_000];

/** Takes down what a server is asked, and what it answers. */
class Stage {
  readonly server: OpenServer;
  readonly exchanges: RecordedExchange[] = [];
  readonly #startedAt: number;

  constructor(server: OpenServer) {
    this.server = server;
    this.#startedAt = server.now();
  }

  /** Pulls the model to the end. */
  async pull(more: Readonly<Record<string, unknown>> = {}): Promise<void> {
    await this.ask(JSON.stringify(pullBody(this.server, more)));
  }

  /** Makes a request, and reads the answer until a number of its lines tell of bytes, or the end. */
  async ask(request: string, lines = Infinity): Promise<void> {
    const { now, fetch } = this.server;
    const startedAt = now();
    const time = () => Math.round(now() - startedAt);
    const index = this.exchanges.length;
    const exchange = {
      startedAtMs: Math.round(startedAt - this.#startedAt),
      request: { url: PULL_PATH, body: readBody(request) },
      answer: undefined,
      chunks: [],
    };
    this.exchanges[index] = { ...exchange, end: { atMs: 0, how: "left" } };
    const response = await fetch(PULL_PATH, { method: "POST", body: request });
    const { status, headers } = response;
    const answer = { atMs: time(), status, contentType: headers.get("Content-Type") };
    const chunks: RecordedChunk[] = [];
    const end = (how: "whole" | "left") => {
      this.exchanges[index] = { ...exchange, answer, chunks, end: { atMs: time(), how } };
    };
    end("left");
    let counted = 0;
    for await (const bytes of bodyOf(response)) {
      chunks.push({ atMs: time(), bytes });
      if (new TextDecoder().decode(bytes).includes('"completed":')) counted++;
      if (counted >= lines) return end("left");
    }
    end("whole");
  }
}

const PULL_PATH = "/api/pull";

/** The body of a request as recordings have it. */
function readBody(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text === "" ? undefined : text;
  }
}

const name = "http://127.0.0.1:9/library/without-tls";

/** The plays. */
export const scenarios: readonly Scenario[] = [
  { name: "fresh", play: (stage) => stage.pull() },
  {
    name: "again",
    async play(stage) {
      await stage.pull();
      await stage.pull();
    },
  },
  {
    name: "resumed",
    async play(stage) {
      await stage.ask(JSON.stringify(pullBody(stage.server)), 1);
      await stage.pull();
    },
  },
  {
    name: "shared",
    async play(stage) {
      const first = stage.pull();
      // Of a third caller, who leaves early, nothing is taken down.
      await new Stage(stage.server).ask(JSON.stringify(pullBody(stage.server)), 2);
      await Promise.all([first, stage.pull()]);
    },
  },
  {
    name: "changed",
    async play(stage) {
      await stage.pull();
      await stage.server.change?.([LAYERS[0]!, LAYERS[1]! + 1_000_000, LAYERS[2]!]);
      await stage.pull();
    },
  },
  {
    name: "single object",
    async play(stage) {
      await stage.pull({ stream: false });
    },
  },
  {
    name: "unknown model",
    async play(stage) {
      const body = (stream: boolean) =>
        pullBody(stage.server, { stream }, absentModel(stage.server));
      await stage.ask(JSON.stringify(body(true)));
      await stage.ask(JSON.stringify(body(false)));
    },
  },
  {
    name: "refused",
    async play(stage) {
      await stage.ask("");
      await stage.ask("not JSON");
      await stage.ask('{"model":5}');
      await stage.ask(JSON.stringify(pullBody(stage.server, {}, "a b")));
      await stage.ask(JSON.stringify(pullBody(stage.server, { insecure: undefined }, name)));
    },
  },
  {
    name: "digest mismatch",
    faults: [{ kind: "digest-mismatch", times: 1 }],
    async play(stage) {
      await stage.pull();
      await stage.pull();
    },
  },
  {
    name: "missing blob",
    faults: [{ kind: "error", at: { completed: "80%" } }],
    play: (stage) => stage.pull(),
  },
  {
    name: "broken connection",
    faults: [{ kind: "rollback", times: 1 }],
    play: (stage) => stage.pull(),
  },
];

/** What a scenario leaves: a recording, but for what is known of the server. */
export type PlayedScenario = Pick<Recording, "version" | "layers" | "exchanges">;

/** Has a server play a scenario. */
export async function play(
  subject: ServerSubject,
  { faults, play }: Scenario,
): Promise<PlayedScenario> {
  const setup: ServerSetup = { layers: LAYERS, ...(faults !== undefined && { faults }) };
  const server = await subject.open(setup);
  try {
    const stage = new Stage(server);
    await play(stage);
    return { version: 1, layers: server.layers ?? [], exchanges: stage.exchanges };
  } finally {
    await server.close();
  }
}
