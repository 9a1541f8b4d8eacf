/**
 * A stranger as a subject of the suite: it is started once, listens on a socket, and runs in real time.
 *
 * @module
 */

import type { Fault } from "../../../mock/faults/faults.ts";
import {
  type OpenServer,
  remoteServer,
  type ServerSetup,
  type ServerSubject,
} from "../../server/subject.ts";
import { type Layer, type LayerFault, layerOf, type RunningServer } from "./servers/mod.ts";

/** The bandwidth: that of a mock, so that most models take less than a second. */
export const BYTES_PER_MS = 100_000;

/** The layers of a model with layers of these sizes. Another label gives them other contents. */
const layersOf = (sizes: readonly number[], label: string) =>
  sizes.map((size, index) => layerOf(`${label}${index} ${size}`, size));

/** The fault of a stranger's registry that corresponds to a fault of the mock, if there is one. */
function layerFaultOf({ kind }: Fault): LayerFault {
  return kind === "digest-mismatch" ? "corrupt" : "unreachable";
}

/** The layer that a fault of the mock strikes. A fault at a share of the model strikes the first layer. */
function layerOfFault({ at }: Fault, layers: readonly Layer[]): Layer {
  const { layer = 0 } = at ?? {};
  const struck = layers.find(({ digest }, index) => index === layer || digest === layer);
  if (!struck) throw new Error(`The model has no layer ${layer}`);
  return struck;
}

/** A server whose registry the suite controls: its models are known, and can be changed and made to fail. */
export function strangerSubject(name: string, running: RunningServer): ServerSubject {
  const { url, model, registry } = running;
  const remote = remoteServer({ url, model, mayDelete: true, name });
  let failing = 0;
  return {
    ...remote,
    lacks: {},
    hasOneModel: false,
    async open(setup: ServerSetup): Promise<OpenServer> {
      // A failed pull leaves intact layers behind, which nothing deletes.
      const label = setup.faults?.length ? `failing ${++failing} ` : "";
      const publish = (name: string, sizes: readonly number[]) => {
        const layers = layersOf(sizes, label);
        registry.publish(name, layers);
        return layers;
      };
      registry.faults.clear();
      const layers = publish(model, setup.layers);
      for (const fault of setup.faults ?? []) {
        registry.faults.set(layerOfFault(fault, layers).digest, layerFaultOf(fault));
      }
      return {
        ...await remote.open(setup),
        layers,
        otherModel: { name: running.otherModel, layers: running.otherLayers },
        change: (sizes) => Promise.resolve(publish(model, sizes)),
        offer: (name, sizes) => Promise.resolve(publish(name, sizes)),
      };
    },
  };
}
