/**
 * Sends the headers of a browser, and reads the bytes of the answer as they are.
 */

import { main } from "./client.mjs";

await main({
  headers: {
    "Content-Type": "application/json",
    "Accept-Encoding": "gzip, deflate",
  },
});
