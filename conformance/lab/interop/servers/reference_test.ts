import { assert, assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { everySubject } from "../mod.ts";
import { isEarlierServer, referenceServers } from "./reference.ts";

describe("an earlier version of the reference server", () => {
  it("is every version but the current one, and nothing else", () => {
    const [current, ...earlier] = referenceServers;
    assertEquals(everySubject.filter(isEarlierServer), earlier);
    assert(everySubject.includes(current!));
  });
});
