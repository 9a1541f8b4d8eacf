/**
 * The Worker that is measured: it follows pulls, or only reads the same bytes.
 *
 * - `/follow?lines=…` and `/read?lines=…`: a pull from memory, one line per chunk, to its end.
 * - `/follow?from=…` and `/read?from=…`: a pull from a server, as it comes.
 *
 * @module
 */

import { pull, type PullProgress } from "@ollama-pull/kit";
import { inSequence } from "./made_pulls.ts";
import { cut, PullBody } from "./pull_bytes.ts";

const LAYERS = 5;

/** A tick that is late by this many milliseconds was overtaken by the next one. */
const LATE_MS = 60;

/** The result of a pull. */
export interface Followed {
  /** How many chunks were read, or snapshots produced. */
  items: number;
  /** How many of them arrived later than the next one was due. */
  late: number;
}

/** The chunks of a pull, which are created once. */
const chunksByLines = new Map<number, readonly Uint8Array<ArrayBuffer>[]>();

function chunksOf(lines: number): readonly Uint8Array<ArrayBuffer>[] {
  let chunks = chunksByLines.get(lines);
  if (!chunks) {
    chunks = cut(new TextEncoder().encode(inSequence(lines, LAYERS)), "live");
    chunksByLines.set(lines, chunks);
  }
  return chunks;
}

/** The source of the pull: memory, or a server whose `completed` is the time of sending. */
type Connect = (url: string, init: RequestInit) => Response | Promise<Response>;

function connectTo(url: URL): { connect: Connect; isTimed: boolean } {
  const from = url.searchParams.get("from");
  if (from !== null) return { connect: (_, init) => fetch(from, init), isTimed: true };
  const chunks = chunksOf(Number(url.searchParams.get("lines")));
  return { connect: () => new Response(new PullBody(chunks).stream), isTimed: false };
}

async function follow(connect: Connect, isTimed: boolean): Promise<Followed> {
  const followed: Followed = { items: 0, late: 0 };
  let last: PullProgress | undefined;
  for await (last of pull("llama3.2", { fetch: connect })) {
    followed.items++;
    const isTick = isTimed && last.phase === "downloading";
    if (isTick && Date.now() - last.completed > LATE_MS) followed.late++;
  }
  if (last?.fraction !== 1) throw new Error("The pull did not succeed");
  return followed;
}

async function read(connect: Connect): Promise<Followed> {
  const { body } = await connect("http://localhost/", { method: "POST", body: "{}" });
  const reader = body!.getReader();
  let items = 0;
  while (!(await reader.read()).done) items++;
  return { items, late: 0 };
}

export default {
  async fetch(request: Request): Promise<Response> {
    const url = new URL(request.url);
    const { connect, isTimed } = connectTo(url);
    const isFollowed = url.pathname === "/follow";
    return Response.json(await (isFollowed ? follow(connect, isTimed) : read(connect)));
  },
};
