import { EventEmitter } from "node:events";
import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { onSignal } from "./process_context.ts";

describe("onSignal", () => {
  it("handles what repeats a signal, and leaves a later one to kill the process", () => {
    const source = new EventEmitter();
    const scheduled: (() => void)[] = [];
    let handled = 0;
    onSignal(source, "SIGINT", () => handled++, (callback) => scheduled.push(callback));
    source.emit("SIGINT");
    source.emit("SIGINT");
    assertEquals([handled, source.listenerCount("SIGINT")], [2, 1]);
    for (const callback of scheduled) callback();
    assertEquals(source.listenerCount("SIGINT"), 0);
  });
});
