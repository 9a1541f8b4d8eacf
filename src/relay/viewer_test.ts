import { assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import type { Bytes } from "../bytes.ts";
import { EncodedRecord } from "./encoded_record.ts";
import { openingBytes, Viewer, type ViewerFeed } from "./viewer.ts";

/** A feed that has ended, with a snapshot or without. */
class EndedFeed implements ViewerFeed {
  readonly sequence: number;
  readonly ending = new EncodedRecord({ sequence: 1, end: "success" });
  /** How often a viewer has left. */
  leaves = 0;

  constructor(sequence: number) {
    this.sequence = sequence;
  }

  recordAfter(): EncodedRecord {
    return new EncodedRecord({ sequence: this.sequence });
  }

  now(): number {
    return 0;
  }

  leave(): void {
    this.leaves++;
  }
}

/** The controller of a body whose reader does something at each chunk, before `enqueue` returns. */
class EagerController implements ReadableStreamDefaultController<Bytes> {
  readonly desiredSize = 0;
  readonly deeds: string[] = [];
  readonly #onChunk: () => void;

  constructor(onChunk: () => void) {
    this.#onChunk = onChunk;
  }

  enqueue(chunk?: Bytes): void {
    this.deeds.push(new TextDecoder().decode(chunk));
    this.#onChunk();
  }

  close(): void {
    this.deeds.push("close");
  }

  error(): void {
    this.deeds.push("error");
  }
}

/** What a viewer does with its body, if the reader of that asks once, and does something at each record. */
function deedsAtTheEnd(
  react: (viewer: Viewer) => void,
  sequence = 0,
): { deeds: string[]; leaves: number } {
  const feed = new EndedFeed(sequence);
  const viewer = new Viewer(feed, "ndjson", openingBytes("ndjson", 0));
  let chunks = 0;
  const controller = new EagerController(() => {
    if (chunks++ > 0) react(viewer);
  });
  viewer.start(controller);
  viewer.pull();
  return { deeds: controller.deeds, leaves: feed.leaves };
}

describe("a viewer that is sent the end", () => {
  const END = '{"sequence":1,"end":"success"}\n';

  it("leaves, and its body is closed", () => {
    assertEquals(deedsAtTheEnd(() => {}), { deeds: ["\n", END, "close"], leaves: 1 });
  });

  it("does not close a body that its reader cancels at these bytes", () => {
    const seen = deedsAtTheEnd((viewer) => viewer.cancel());
    assertEquals(seen, { deeds: ["\n", END], leaves: 1 });
  });

  it("is sent it once, also if its reader asks again at these bytes", () => {
    const seen = deedsAtTheEnd((viewer) => viewer.pull());
    assertEquals(seen, { deeds: ["\n", END, "close"], leaves: 1 });
  });

  it("is sent the newest snapshot with it, so that it may take its time before it reads on", () => {
    const seen = deedsAtTheEnd(() => {}, 1);
    assertEquals(seen, { deeds: ["\n", '{"sequence":1}\n', END, "close"], leaves: 1 });
  });

  it("is not sent it if its reader leaves at the snapshot before", () => {
    const seen = deedsAtTheEnd((viewer) => viewer.cancel(), 1);
    assertEquals(seen, { deeds: ["\n", '{"sequence":1}\n'], leaves: 1 });
  });

  it("is sent both once, if its reader asks again at each of them", () => {
    const seen = deedsAtTheEnd((viewer) => viewer.pull(), 1);
    assertEquals(seen, { deeds: ["\n", '{"sequence":1}\n', END, "close"], leaves: 1 });
  });
});
