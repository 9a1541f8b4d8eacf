/**
 * The npm `ollama` client.
 *
 * @module
 */

import { drivenClient, driverPath } from "../driver.ts";

const NO_OBJECT =
  "`AbortableAsyncIterator` and `checkOk` use `error` as the message, whatever its type";

/** The client. */
export const ollamaJs = drivenClient({
  name: "ollama (npm)",
  version: "0.6.4",
  needs: ["node"],
  command: () => ["node", driverPath("javascript/ollama.mjs")],
  breaks: {
    "C-ERR-5": "`AbortableAsyncIterator` treats any object with an `error` field as a failure",
    "C-HTTP-5": "`parseJSON` warns on the console about each line of the page, and continues",
    "C-ERR-4": NO_OBJECT,
    "C-HTTP-4": NO_OBJECT,
    "C-FRAME-8": "`parseJSON` catches parse errors, warns on the console and continues",
  },
});
