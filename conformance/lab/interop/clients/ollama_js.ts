/**
 * The npm `ollama` client.
 *
 * @module
 */

import { drivenClient, driverPath } from "../driver.ts";

const NO_OBJECT =
  "`AbortableAsyncIterator` and `checkOk` make a message of `error`, whatever it is";

/** The client. */
export const ollamaJs = drivenClient({
  name: "ollama (npm)",
  version: "0.6.4",
  needs: ["node"],
  command: () => ["node", driverPath("javascript/ollama.mjs")],
  breaks: {
    "C-ERR-4": NO_OBJECT,
    "C-HTTP-4": NO_OBJECT,
    "C-FRAME-8": "`parseJSON` catches what it cannot parse, warns on the console and goes on",
  },
});
