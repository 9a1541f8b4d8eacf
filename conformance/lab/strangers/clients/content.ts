/**
 * Clients that misread what objects say.
 *
 * @module
 */

import { messageOf } from "./messages.ts";
import { reportSums } from "./progress.ts";
import { RIGHT_PARTS } from "./right_client.ts";
import { type StrangerClient, withProgress, withStatuses } from "./specimen.ts";

/** How many layers fit in the list of a narrow window. */
const SHOWN_LAYERS = 32;

/** Clients that misread what objects say. */
export const contentClients: readonly StrangerClient[] = [
  withStatuses({
    name: 'looks for "success" in quotes anywhere in the line',
    breaks: "C-DONE-1: success is reported only after the server has sent `success`",
    how: 'A shell script with grep -q \'"success"\', and a server that adds "check":"success" to ' +
      "the line of a layer: the script leaves, and the download stops.",
    difficulty: "hard",
  }, { isSuccess: (_, { line }) => line.includes('"success"') }),

  withStatuses({
    name: "takes any line with the word error for one",
    breaks: "C-OBJ-7: a failure to remove unused layers does not fail the pull",
    how: "couldn't remove unused layers: input/output error, and then success.",
    difficulty: "middling",
  }, {
    judge(object, context) {
      RIGHT_PARTS.judge(object, context);
      if (/\berrors?\b/i.test(context.line)) throw new Error(context.line);
    },
  }),

  withStatuses({
    name: "takes an error of null for an error",
    breaks: "A field that is null has no value: the line tells of no error",
    how: 'A compatible server writes all its fields, as in {"status":"pulling","error":null}.',
    difficulty: "hard",
  }, {
    judge(object) {
      if ("error" in object) throw new Error(messageOf(object.error));
    },
  }),

  withProgress({
    name: "knows layers by twelve characters of `sha256:…`, which are five digits",
    breaks: "C-SUM-3: at the end, every layer counts as complete",
    how: "Among hundreds of layers, two digests begin with the same five digits and become one.",
    difficulty: "hard",
  }, {
    startReport: reportSums({
      keyOf: ({ digest, status }) => typeof digest === "string" ? digest.slice(0, 12) : status,
    }),
  }),

  withProgress({
    name: "takes the size of a layer from its first line only",
    breaks: "C-SUM-3: at the end, every layer counts as complete",
    how: "The first line of a layer has no total yet: the whole is too small ever after.",
    difficulty: "middling",
  }, {
    startReport: reportSums({
      note(layer, { total = 0, completed = 0 }, isNew) {
        if (isNew) layer.total = total;
        layer.completed = Math.max(layer.completed, completed);
      },
    }),
  }),

  withProgress({
    name: "adds up the newest 32 layers, which are those that it shows",
    breaks: "C-SUM-3: at the end, every layer counts as complete",
    how: "A model of tensors has hundreds of layers: the bytes go up and down.",
    difficulty: "hard",
  }, {
    startReport: reportSums({
      forget(layers) {
        const [oldest] = layers.keys();
        if (layers.size > SHOWN_LAYERS) layers.delete(oldest);
      },
    }),
  }),
];
