import { assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { showBytes, showChunks } from "./exchange.ts";

const show = (text: string) => showBytes(new TextEncoder().encode(text));

describe("showBytes", () => {
  it("shows text as it is, and white space that matters", () => {
    assertEquals(show('{"status":"für 中"}\r\n\t'), '{"status":"für 中"}\\r\\n\\t');
  });

  it("shows half characters and control characters as bytes", () => {
    assertEquals(showBytes(new Uint8Array([0x61, 0xc3])), "a\\xc3");
    assertEquals(showBytes(new Uint8Array([0xa9, 0x00, 0x1b])), "\\xa9\\x00\\x1b");
    assertEquals(show("\ufeff"), "\\xef\\xbb\\xbf");
  });

  it("leaves out the rest of what is long", () => {
    const shown = show("é".repeat(100_000));
    assertEquals(shown, `${"é".repeat(600)}… (200000 bytes)`);
  });
});

describe("showChunks", () => {
  it("leaves out the rest of what is many", () => {
    const chunks = Array.from({ length: 203 }, () => new Uint8Array([0x61]));
    const shown = showChunks(chunks);
    assertEquals([shown.length, shown[0], shown.at(-1)], [201, "a", "… and 3 more chunks"]);
  });
});
