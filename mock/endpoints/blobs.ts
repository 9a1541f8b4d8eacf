/**
 * `HEAD /api/blobs/:digest`: whether the server has a blob on disk, whichever model it belongs to.
 *
 * @module
 */

import type { Hono } from "hono";
import type { MockEnvironment } from "../exchange/exchange.ts";
import { Refusal } from "../exchange/refusal.ts";
import type { BlobStore } from "../pull/downloads.ts";

/** The digests that the real server accepts (observed: `ValidateDigest`). */
const DIGEST = /^sha256[:-][0-9a-f]{64}$/i;

/** Adds the endpoint to an app. */
export function registerBlobs(
  app: Hono<MockEnvironment>,
  { store, now }: { readonly store: BlobStore; readonly now: () => number },
): void {
  // Hono answers HEAD wherever it answers GET, but the real server refuses GET here.
  app.get("/api/blobs/:digest", (context) => {
    if (context.req.method !== "HEAD") return context.notFound();
    const digest = context.req.param("digest");
    if (!DIGEST.test(digest)) throw new Refusal(400, "invalid digest format");
    // The real server keeps an incomplete blob in another file (observed).
    if (store.has(digest.replace("-", ":"), now())) return context.body(null, 200);
    throw new Refusal(404, `blob ${JSON.stringify(digest)} not found`);
  });
}
