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
    "C-ERR-5": "`AbortableAsyncIterator` takes any object that has an `error` for a failure",
    "C-HTTP-5": "`parseJSON` warns on the console of each line of the page, and goes on",
    "C-ERR-4": NO_OBJECT,
    "C-HTTP-4": NO_OBJECT,
    "C-FRAME-8": "`parseJSON` catches what it cannot parse, warns on the console and goes on",
  },
});
