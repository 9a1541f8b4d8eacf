/**
 * curl, as the barest of clients: it prints what arrives.
 *
 * @module
 */

import { drivenClient, driverPath } from "../driver.ts";

const HTTP_ONLY = "an error line is part of a body with the status 200, and it looks at no more";
const WHOLE = "a body that ends as HTTP says is whole to it, whatever is in there";

/** The client. */
export const curl = drivenClient({
  name: "curl",
  needs: ["curl"],
  command: () => ["sh", driverPath("curl.sh")],
  breaks: {
    "C-REQ-4": "it takes the address as it is, with the slash at its end",
    "C-REQ-5": "without `--location` an answer with the status 307 is one like any other",
    "C-DONE-3": "a body that breaks off is a failure to it, whatever is in there",
    "C-FRAME-8": "it does not read what it prints",
    "C-ERR-1": HTTP_ONLY,
    "C-ERR-2": HTTP_ONLY,
    "C-ERR-3": HTTP_ONLY,
    "C-ERR-4": HTTP_ONLY,
    "C-HTTP-4":
      "with `--fail-with-body` it prints the body like any other and tells of the status alone",
    "C-HTTP-5": "it does not read what it prints",
    "C-END-1": WHOLE,
    "C-END-2": WHOLE,
  },
});
