import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import { acceptedFormat } from "./accepted_format.ts";

describe("acceptedFormat", () => {
  it("is that of events for whoever does not want lines more", () => {
    for (
      const accept of [
        null,
        "",
        "*/*",
        "text/event-stream",
        "text/html",
        "application/json",
        "text/event-stream, application/x-ndjson",
        "application/x-ndjson, text/event-stream",
        "application/x-ndjson;q=0.5, */*",
        "application/x-ndjson;q=0, text/html",
        "application/x-ndjson;q=none",
        "*/*, application/x-ndjson; Q=0.9",
      ]
    ) assertEquals(acceptedFormat(accept), "sse", accept ?? "none");
  });

  it("is that of lines for who wants them more, or names them more closely", () => {
    for (
      const accept of [
        "application/x-ndjson",
        "APPLICATION/X-NDJSON",
        "application/*",
        "application/x-ndjson, */*",
        "text/event-stream;q=0.5, application/x-ndjson",
        "text/event-stream ; q=0.1 , */*;q=0.2",
        "text/*;q=0.4, */*;q=0.5",
        "application/x-ndjson;charset=utf-8;q=0.8, text/*;q=0.7",
      ]
    ) assertEquals(acceptedFormat(accept), "ndjson", accept);
  });

  it("is one of the two, whatever is accepted", () => {
    const part = fc.constantFrom(
      ...["application/x-ndjson", "text/event-stream", "*", "/", ",", ";", "q=", "0.5", " ", "\t"],
    );
    fc.assert(fc.property(fc.array(fc.oneof(part, fc.string())), (parts) => {
      const format = acceptedFormat(parts.join(""));
      assertEquals(["sse", "ndjson"].includes(format), true);
    }));
  });
});
