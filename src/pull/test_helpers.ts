/**
 * Servers for tests of `pull`, which answer what they are told to.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import type { PullProgress } from "../snapshot.ts";
import { lines, standingStill, type TestSource } from "../stream_test_helpers.ts";
import type { PullOptions, PullRequestInit } from "./options.ts";
import { pull } from "./pull.ts";

export type Answer = (request: Request) => Response | Promise<Response>;

/** A server that gives one answer after another, and records what it was asked. */
export class TestServer {
  readonly requests: Request[] = [];
  readonly #answers: Answer[];

  constructor(...answers: Answer[]) {
    this.#answers = answers;
  }

  readonly fetch = (url: string, init: PullRequestInit): Response | Promise<Response> => {
    const request = new Request(url, init);
    this.requests.push(request);
    const answer = this.#answers.shift();
    if (!answer) throw new Error("There is no further answer");
    return answer(request);
  };

  /** The only request that was made. */
  get request(): Request {
    assertEquals(this.requests.length, 1);
    return this.requests[0]!;
  }
}

export const answer = (body: BodyInit | null, init?: ResponseInit): Answer => () =>
  new Response(body, init);

export const streaming = (source: TestSource<Uint8Array<ArrayBuffer>>): Answer =>
  answer(source.stream);

export const unreachable = (): Promise<never> => Promise.reject(new TypeError("refused"));

/** An answer that does not come, whatever the signal says. */
export const silence = (): Promise<never> => new Promise(() => {});

export const MANIFEST = { status: "pulling manifest" };
export const SUCCESS = { status: "success" };
export const DONE = lines(MANIFEST, SUCCESS);

/** A status about a layer of 100 bytes. */
export const layer = (completed: number) => ({
  status: "pulling aaaa",
  digest: "sha256:aaaa",
  total: 100,
  completed,
});

/** Pulls from answers with a clock that is not waited for. */
export function pullFrom(
  answers: Answer[],
  options: PullOptions = {},
): ReadableStream<PullProgress> {
  const { fetch } = new TestServer(...answers);
  return pull("m", { fetch, now: standingStill, sleep: () => Promise.resolve(), ...options });
}
