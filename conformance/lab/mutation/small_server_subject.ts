/**
 * The small server as a subject of the suite: in process, and in virtual time.
 *
 * @module
 */

import { VirtualClock } from "../../../mock/clock/virtual.ts";
import { seededDigest } from "../../../mock/runtime/random.ts";
import { OTHER_SIZES, requestDeletion, type ServerSubject } from "../../server/subject.ts";
import type { Layer } from "./installed_models.ts";
import { SmallServer } from "./small_server.ts";

const MODEL = "subject";
const OTHER_MODEL = "other";
const ADDRESS = "http://conformance.invalid";

/** The layers of a model: the position and the size of one make its digest. */
function layersOf(sizes: readonly number[]): readonly Layer[] {
  return sizes.map((size, index) => ({ digest: seededDigest(`${index} ${size}`), size }));
}

/** The small server. */
export const smallServer: ServerSubject = {
  name: "a small server",
  lacks: {
    faults: "Faults cannot be injected",
    wire: "It runs in this process, without a network connection",
  },
  open({ layers }) {
    const clock = new VirtualClock();
    const server = new SmallServer(clock);
    const publish = (sizes: readonly number[], name = MODEL) => {
      server.registry.set(name, layersOf(sizes));
      return layersOf(sizes);
    };
    const request = (path: string, init?: RequestInit) =>
      server.fetch(new Request(new URL(path, ADDRESS), init));
    return Promise.resolve({
      model: MODEL,
      layers: publish(layers),
      change: (sizes) => Promise.resolve(publish(sizes)),
      offer: (name, sizes) => Promise.resolve(publish(sizes, name)),
      otherModel: { name: OTHER_MODEL, layers: publish(OTHER_SIZES, OTHER_MODEL) },
      remove: () => requestDeletion(request, { model: MODEL }),
      fetch: request,
      now: () => clock.now(),
      sleep: (milliseconds) => clock.sleep(milliseconds),
      close: () => Promise.resolve(),
    });
  },
};
