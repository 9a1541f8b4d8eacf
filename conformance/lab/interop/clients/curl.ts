/**
 * curl, as the barest of clients: it prints what arrives.
 *
 * @module
 */

import { drivenClient, driverPath } from "../driver.ts";

const HTTP_ONLY = "it checks only the HTTP status, which is 200 for an error line";
const WHOLE = "it treats a body that ends as HTTP requires as a success, whatever it contains";

/** The client. */
export const curl = drivenClient({
  name: "curl",
  needs: ["curl"],
  command: () => ["sh", driverPath("curl.sh")],
  breaks: {
    "C-REQ-4": "it uses the address unchanged, including the final slash",
    "C-REQ-5": "without `--location`, an answer with status 307 is like any other",
    "C-DONE-3": "it treats a truncated body as a failure, whatever it contains",
    "C-FRAME-8": "it does not read what it prints",
    "C-ERR-1": HTTP_ONLY,
    "C-ERR-2": HTTP_ONLY,
    "C-ERR-3": HTTP_ONLY,
    "C-ERR-4": HTTP_ONLY,
    "C-HTTP-4":
      "with `--fail-with-body` it prints the body like any other and reports only the status",
    "C-HTTP-5": "it does not read what it prints",
    "C-END-1": WHOLE,
    "C-END-2": WHOLE,
  },
});
