/**
 * The decoders that are compared: ours, from the most to the least that they do, and that of the npm
 * package `ollama`. Each reads a pull to its end, one item at a time, as an application would.
 *
 * @module
 */

import {
  decodeProgress,
  decodePull,
  NdjsonDecoderStream,
  PullProgressStream,
  PullStatusStream,
} from "@ollama-pull/kit";
import { Ollama } from "ollama/browser";

/** What a decoder made of a pull: how many items, and the words of the last one. */
export interface Decoded {
  readonly items: number;
  readonly lastStatus: string | undefined;
}

/** A decoder to measure. */
export interface Decoder {
  readonly name: string;
  /** What its items are. */
  readonly gives: string;
  decode(body: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<Decoded>;
}

/** Reads all items. */
async function readAll(stream: AsyncIterable<{ status?: string | undefined }>): Promise<Decoded> {
  let items = 0;
  let lastStatus: string | undefined;
  for await (const { status } of stream) {
    items++;
    lastStatus = status;
  }
  return { items, lastStatus };
}

/** The decoder that the others are compared with. */
export const REFERENCE: Decoder = {
  name: "ollama",
  gives: "objects, one a line",
  async decode(body) {
    const client = new Ollama({ fetch: () => Promise.resolve(new Response(body)) });
    return await readAll(await client.pull({ model: "llama3.2", stream: true }));
  },
};

/** All decoders. */
export const DECODERS: readonly Decoder[] = [
  REFERENCE,
  {
    name: "decodeProgress",
    gives: "progress, one a chunk",
    decode: (body) => readAll(decodeProgress(body)),
  },
  {
    name: "decodePull",
    gives: "statuses, one a line",
    decode: (body) => readAll(decodePull(body)),
  },
  {
    name: "piped to PullStatusStream",
    gives: "statuses, one a line",
    decode: (body) =>
      readAll(body.pipeThrough(new NdjsonDecoderStream()).pipeThrough(new PullStatusStream())),
  },
  {
    name: "piped to PullProgressStream",
    gives: "progress, one a line",
    decode: (body) =>
      readAll(
        body
          .pipeThrough(new NdjsonDecoderStream())
          .pipeThrough(new PullStatusStream())
          .pipeThrough(new PullProgressStream()),
      ),
  },
];
