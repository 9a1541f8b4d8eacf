/**
 * Shows that a manager and a hub fit React and Svelte as they are.
 *
 * @module
 */

import { assertEquals, assertStrictEquals } from "@std/assert";
import { parseHTML } from "linkedom";
import { after, describe, it } from "node:test";
import { act, createElement, type ReactNode, StrictMode, useSyncExternalStore } from "react";
import { renderToString } from "react-dom/server";
import { derived, get } from "svelte/store";
import type { PullProgress } from "../snapshot.ts";
import { settle, TestSource, VirtualClock } from "../stream_test_helpers.ts";
import type { PullManagerSnapshot } from "./entry.ts";
import { PullHub } from "./hub.ts";
import { PullManager } from "./manager.ts";
import { progressAt } from "./test_helpers.ts";

const EVERY_MS = 100;

/** A page, which React looks for when it is loaded. */
const { window, document } = parseHTML("<html><body></body></html>") as unknown as {
  window: object;
  document: { createElement(name: string): { textContent: string } };
};
const globals = { window, document, IS_REACT_ACT_ENVIRONMENT: true };
Object.assign(globalThis, globals);
const { createRoot } = await import("react-dom/client");

/** A manager of two pulls, and a clock that is moved by hand. */
async function startedManager() {
  const clock = new VirtualClock();
  const { now, sleep } = clock;
  const sources: Record<string, TestSource<PullProgress>> = {};
  const pull = (model: string) => (sources[model] = new TestSource<PullProgress>()).stream;
  const manager = new PullManager({ updateEveryMs: EVERY_MS, now, sleep, pull });
  for (const model of ["x", "y"]) manager.start(model);
  await settle();
  /** Gives a snapshot of one pull. */
  const give = async (model: string, completed: number) => {
    sources[model]!.give(progressAt(completed));
    await settle();
  };
  return { clock, manager, sources, give };
}

/** A line about all pulls. */
const lineOf = ({ entries }: PullManagerSnapshot) =>
  entries.map(({ model, state, progress }) => `${model} ${state} ${progress?.completed ?? 0}`)
    .join(", ");

/** Shows a component as React does in development, where it does all that it may do twice. */
async function render(component: () => ReactNode) {
  const element = document.createElement("main");
  const root = createRoot(element);
  await act(() => root.render(createElement(StrictMode, null, createElement(component))));
  return {
    get text(): string {
      return element.textContent;
    },
    unmount: () => act(() => root.unmount()),
  };
}

describe("React", () => {
  after(() => {
    for (const name of Object.keys(globals)) Reflect.deleteProperty(globalThis, name);
  });

  it("shows a manager, renders once per call, and unsubscribes", async () => {
    const { clock, manager, sources, give } = await startedManager();
    let renders = 0;
    const view = await render(() => {
      renders++;
      return lineOf(useSyncExternalStore(manager.subscribe, manager.getSnapshot));
    });
    const rendersAtFirst = renders;
    assertEquals(view.text, "x running 0, y running 0");
    await act(async () => {
      await clock.advance(EVERY_MS);
      for (let bytes = 1; bytes <= 10; bytes++) await give("x", bytes);
      await clock.advance(EVERY_MS - 1);
    });
    assertEquals(view.text, "x running 1, y running 0");
    await act(() => clock.advance(1));
    assertEquals(view.text, "x running 10, y running 0");
    assertEquals(renders - rendersAtFirst, 2 * 2);
    await act(async () => {
      sources.x!.end();
      manager.cancel("y");
      await clock.advance(EVERY_MS);
    });
    assertEquals(view.text, "x succeeded 10, y cancelled 0");
    await act(() => clock.advance(10 * EVERY_MS));
    assertEquals(renders - rendersAtFirst, 3 * 2);
    assertEquals(rendersAtFirst <= 4, true);

    await view.unmount();
    manager.start("z");
    await settle();
    assertEquals(clock.sleepers, 0);
  });

  it("renders a row only when its own entry has changed", async () => {
    const { clock, manager, give } = await startedManager();
    let renders = 0;
    const view = await render(() => {
      renders++;
      return useSyncExternalStore(manager.subscribe, () => manager.get("y"))?.state;
    });
    const rendersAtFirst = renders;
    await act(async () => {
      await give("x", 1);
      await clock.advance(EVERY_MS);
    });
    assertEquals(renders, rendersAtFirst);
    await act(async () => {
      manager.cancel("y");
      await clock.advance(EVERY_MS);
    });
    assertEquals([view.text, renders], ["cancelled", rendersAtFirst + 2]);
    await view.unmount();
  });

  it("shows a hub", async () => {
    const source = new TestSource<PullProgress>();
    const hub = new PullHub(source.stream);
    const view = await render(() =>
      useSyncExternalStore(hub.subscribe, () => hub.latest)?.completed ?? "nothing"
    );
    assertEquals([view.text, hub.watchers], ["nothing", 1]);
    await act(async () => {
      source.give(progressAt(5));
      await settle();
    });
    assertEquals(view.text, "5");
    await view.unmount();
    assertEquals(hub.watchers, 0);
  });

  it("renders a manager on a server", async () => {
    const { clock, manager, give } = await startedManager();
    await give("x", 5);
    const { subscribe, getSnapshot } = manager;
    const component = () => lineOf(useSyncExternalStore(subscribe, getSnapshot, getSnapshot));
    assertEquals(renderToString(createElement(component)), "x running 5, y running 0");
    assertEquals(clock.sleepers, 0);
  });
});

describe("Svelte", () => {
  it("accepts a manager as a store", async () => {
    const { clock, manager, give } = await startedManager();
    assertStrictEquals(get(manager), manager.getSnapshot());
    const lines: string[] = [];
    const stop = derived(manager, lineOf).subscribe((line) => void lines.push(line));
    await clock.advance(EVERY_MS);
    await give("x", 1);
    await give("x", 2);
    await give("y", 3);
    await clock.advance(EVERY_MS);
    stop();
    await give("y", 4);
    await clock.advance(EVERY_MS);
    assertEquals(lines, [
      "x running 0, y running 0",
      "x running 1, y running 0",
      "x running 2, y running 3",
    ]);
    assertEquals(clock.sleepers, 0);
  });

  it("accepts a hub as a store", async () => {
    const source = new TestSource<PullProgress>();
    const hub = new PullHub(source.stream);
    assertEquals(get(hub), undefined);
    const seen: unknown[] = [];
    const stop = derived(hub, (progress) => progress?.completed).subscribe((bytes) =>
      void seen.push(bytes)
    );
    source.give(progressAt(5));
    await settle();
    assertStrictEquals(get(hub), hub.latest);
    stop();
    assertEquals([seen, hub.watchers], [[undefined, 5], 0]);
  });
});
