/**
 * The small server as a subject of the suite: in process, and in virtual time.
 *
 * @module
 */

import { VirtualClock } from "../../../mock/clock/virtual.ts";
import { seededDigest } from "../../../mock/runtime/random.ts";
import type { ServerSubject } from "../../server/subject.ts";
import { type Layer, SmallServer } from "./small_server.ts";

const MODEL = "subject";
const ADDRESS = "http://conformance.invalid";

/** The layers of a model: the position and the size of one make its digest. */
function layersOf(sizes: readonly number[]): readonly Layer[] {
  return sizes.map((size, index) => ({ digest: seededDigest(`${index} ${size}`), size }));
}

/** The small server. */
export const smallServer: ServerSubject = {
  name: "a small server",
  lacks: {
    faults: "The server cannot be made to fail",
    wire: "It runs in this process, where nothing goes over a wire",
  },
  open({ layers }) {
    const clock = new VirtualClock();
    const server = new SmallServer(clock);
    const publish = (sizes: readonly number[]) => {
      server.registry.set(MODEL, layersOf(sizes));
      return layersOf(sizes);
    };
    return Promise.resolve({
      model: MODEL,
      layers: publish(layers),
      change: (sizes) => Promise.resolve(publish(sizes)),
      fetch: (path, init) => server.fetch(new Request(new URL(path, ADDRESS), init)),
      now: () => clock.now(),
      close: () => Promise.resolve(),
    });
  },
};
