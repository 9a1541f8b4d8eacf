import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import { listen } from "../../../../mock/runtime/listen.ts";
import { VirtualClock } from "../../../../mock/mod.ts";
import { Dice } from "../../fuzz/dice.ts";
import { CountedClock } from "./counted_clock.ts";
import { ListenedController } from "./listened_controller.ts";
import { serveNatively } from "./native_server.ts";
import { ALL_STRIKES, Deck } from "./round.ts";
import { ONE_REQUEST_A_CONNECTION } from "./stage.ts";
import { Tally } from "./tally.ts";
import { Wire } from "./wire.ts";

const HEADERS = ONE_REQUEST_A_CONNECTION;

/** An answer whose first bytes come at once, and the others never. */
function endless(): Response {
  return new Response(
    new ReadableStream({
      start: (controller) => controller.enqueue(new TextEncoder().encode("first")),
    }),
  );
}

/** Does something with a wire that leads to a server. */
async function withWire(
  handler: (request: Request) => Promise<Response>,
  use: (wire: Wire) => Promise<void>,
): Promise<void> {
  const listener = await listen(handler);
  const wire = new Wire();
  await wire.listen();
  wire.leadTo(Number(new URL(listener.url).port));
  try {
    await use(wire);
  } finally {
    await wire.close();
    await listener.close();
  }
}

describe("a wire", () => {
  it("hands on what both sides send, and counts the connections", async () => {
    const echo = async (request: Request) => new Response(await request.text());
    await withWire(echo, async (wire) => {
      const response = await fetch(wire.url, { method: "POST", body: "hello", headers: HEADERS });
      assertEquals([await response.text(), wire.connections], ["hello", 1]);
    });
  });

  it("breaks what chance picks", async () => {
    await withWire(() => Promise.resolve(endless()), async (wire) => {
      const { body } = await fetch(wire.url, { headers: HEADERS });
      const reader = body!.getReader();
      assertEquals(new TextDecoder().decode((await reader.read()).value), "first");
      wire.cut(() => false);
      assertEquals(wire.open, 1);
      wire.cut();
      await assertRejects(() => reader.read());
    });
  });

  it("that leads nowhere refuses", async () => {
    await withWire(() => Promise.resolve(new Response()), async (wire) => {
      wire.leadTo(undefined);
      await assertRejects(() => fetch(wire.url, { headers: HEADERS }));
    });
  });

  it("lets nothing pass until a stall is over", async () => {
    await withWire(() => Promise.resolve(new Response("hello")), async (wire) => {
      const stall = Promise.withResolvers<void>();
      const order: string[] = [];
      const ask = async (who: string) => {
        const response = await fetch(wire.url, { headers: HEADERS });
        await response.text();
        order.push(who);
      };
      const stalled = wire.stall(stall.promise);
      const asked = ask("asked during the stall");
      await withWire(() => Promise.resolve(new Response()), async (other) => {
        for (let count = 0; count < 20; count++) {
          await (await fetch(other.url, { headers: HEADERS })).text();
        }
        order.push("asked by another wire, later");
      });
      stall.resolve();
      await Promise.all([stalled, asked]);
      assertEquals(order, ["asked by another wire, later", "asked during the stall"]);
    });
  });
});

describe("the server of the runtime", () => {
  it("answers, and closes once all answers have ended", async () => {
    const server = await serveNatively(() => Promise.resolve(new Response("hello")));
    const response = await fetch(`http://127.0.0.1:${server.port}`, { headers: HEADERS });
    assertEquals(await response.text(), "hello");
    await server.close();
  });
});

describe("a deck", () => {
  it("deals all kinds before one comes again, and again what was taken back", () => {
    fc.assert(fc.property(fc.nat(), fc.nat({ max: ALL_STRIKES.length }), (seed, count) => {
      const deck = new Deck(new Dice(seed));
      deck.takeBack(deck.deal(count));
      assertEquals(new Set(deck.deal(ALL_STRIKES.length)), new Set(ALL_STRIKES));
    }));
  });
});

describe("what counts", () => {
  it("counts by kind", () => {
    const tally = new Tally();
    for (const kind of ["b", "a", "b"]) tally.add(kind);
    assertEquals([tally.of("b"), tally.of("c"), tally.sum, `${tally}`], [2, 0, 3, "a 1, b 2"]);
  });

  it("counts the waits that have not ended", async () => {
    const clock = new CountedClock(new VirtualClock());
    const controller = new AbortController();
    const wait = clock.sleep(1_000, controller.signal);
    assertEquals(clock.waits, 1);
    controller.abort();
    await assertRejects(() => wait);
    assertEquals(clock.waits, 0);
  });

  it("counts the listeners that may yet be called", () => {
    const [{ signal: gone }, controller] = [new AbortController(), new ListenedController()];
    const ending = new AbortController();
    const listener = () => {};
    controller.signal.addEventListener("abort", listener);
    controller.signal.addEventListener("abort", () => {}, { signal: ending.signal });
    controller.signal.addEventListener("abort", () => {}, { signal: gone });
    assertEquals(controller.listeners, 3);
    ending.abort();
    controller.signal.removeEventListener("abort", listener);
    assertEquals(controller.listeners, 1);
    controller.abort();
    assertEquals(controller.listeners, 0);
    assert(controller.signal.aborted);
  });
});
