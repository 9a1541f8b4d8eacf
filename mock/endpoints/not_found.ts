/**
 * Answers unknown paths as the real server does (observed): 405 for a wrong method, a redirect for
 * extra slashes, otherwise 404.
 *
 * @module
 */

import type { Context, Hono } from "hono";
import { answerText } from "../exchange/json_answer.ts";
import type { MockEnvironment } from "../exchange/exchange.ts";

const TEXT = { "Content-Type": "text/plain" };

/** Answers a request for which an app has no endpoint. */
export function answerNotFound(app: Hono<MockEnvironment>, context: Context): Response {
  const { path, method } = context.req;
  const allowed = methodsOf(app, path);
  if (allowed.length > 0) {
    return answerText("405 method not allowed", 405, { ...TEXT, Allow: allowed.join(", ") });
  }
  const tidied = path.replace(/\/+/g, "/").replace(/(?<=.)\/$/, "");
  if (methodsOf(app, tidied).includes(method)) {
    const isPlain = method === "GET" && path === `${tidied}/`;
    return new Response(null, { status: isPlain ? 301 : 307, headers: { Location: tidied } });
  }
  return answerText("404 page not found", 404, TEXT);
}

/** The methods of the endpoints of a path. */
function methodsOf(app: Hono<MockEnvironment>, path: string): readonly string[] {
  return app.routes.filter((route) => route.path === path && route.method !== "ALL")
    .flatMap(({ method }) => method === "GET" ? ["HEAD", "GET"] : [method]);
}
