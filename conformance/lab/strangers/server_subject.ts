/**
 * A stranger as a subject of the suite: it is started once, listens on a socket, and lives by the clock.
 *
 * @module
 */

import type { Fault } from "../../../mock/faults/faults.ts";
import {
  type OpenServer,
  remoteServer,
  type ServerSubject,
  type World,
} from "../../server/subject.ts";
import { type LayerFault, layerOf, type RunningServer } from "./servers/mod.ts";

/** As fast as a mock, so that most models take less than a second. */
export const BYTES_PER_MS = 100_000;

/** The layers of the model that has layers of some sizes. */
const layersOf = (sizes: readonly number[]) =>
  sizes.map((size, index) => layerOf(`${index} ${size}`, size));

/** What a stranger's registry can do wrong in place of a fault of a mock, if there is anything. */
function layerFaultOf({ kind }: Fault): LayerFault {
  return kind === "digest-mismatch" ? "corrupt" : "unreachable";
}

/** A server whose registry is in view: its models are known, and can be changed and made to fail. */
export function strangerSubject(name: string, running: RunningServer): ServerSubject {
  const { url, model, registry } = running;
  const remote = remoteServer({ url, model, mayDelete: true, name });
  return {
    ...remote,
    lacks: {},
    hasOneModel: false,
    async open(world: World): Promise<OpenServer> {
      const publish = (sizes: readonly number[]) => {
        const layers = layersOf(sizes);
        registry.publish(model, layers);
        return layers;
      };
      registry.faults.clear();
      const layers = publish(world.layers);
      for (const fault of world.faults ?? []) {
        registry.faults.set(layers[0]!.digest, layerFaultOf(fault));
      }
      return {
        ...await remote.open(world),
        layers,
        otherModel: { name: running.otherModel, layers: running.otherLayers },
        change: (sizes) => Promise.resolve(publish(sizes)),
      };
    },
  };
}
