import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import { statusObjects, unknownStatuses } from "./objects.ts";

describe("statusObjects", () => {
  it("are JSON objects, none of them an error", () => {
    fc.assert(fc.property(statusObjects(), (object) => {
      assertEquals(JSON.parse(JSON.stringify(object)), object);
      assertEquals(object.error, undefined);
    }));
  });

  it("have no more bytes than they may, and only the digests given", () => {
    fc.assert(
      fc.property(statusObjects(["sha256:x"], 7), ({ digest, total = 0, completed = 0 }) => {
        assert(digest === undefined || digest === "" || digest === "sha256:x");
        assert((total as number) <= 7 && (completed as number) <= 7);
      }),
    );
  });
});

describe("unknownStatuses", () => {
  it("say nothing known", () => {
    fc.assert(fc.property(unknownStatuses(), (object) => {
      assertEquals([object.digest, object.error], [undefined, undefined]);
      assert(!/^(success|pulling manifest)$/.test(String(object.status)));
    }));
  });
});
