/**
 * Answers unknown paths as the real server does (observed): 405 for a wrong method, a redirect for
 * extra slashes, otherwise 404.
 *
 * @module
 */

import type { Context, Hono } from "hono";
import { html } from "hono/html";
import type { MockEnvironment } from "../exchange/exchange.ts";

/** Answers a request for which an app has no endpoint. */
export function answerNotFound(app: Hono<MockEnvironment>, context: Context): Response {
  const { path, method } = context.req;
  const allowed = methodsOf(app, path);
  if (allowed.length > 0) {
    return answerText(405, "405 method not allowed", { Allow: allowed.join(", ") });
  }
  // Go's `ServeMux` merges slashes before Gin looks for an endpoint.
  const merged = path.replace(/\/{2,}/g, "/");
  if (merged !== path) return answerRedirect(context, 307, merged);
  const tidied = path.replace(/(?<=.)\/$/, "");
  if (methodsOf(app, tidied).includes(method)) {
    return answerRedirect(context, method === "GET" ? 301 : 307, tidied);
  }
  return answerText(404, "404 page not found");
}

/** Leads to another path. Only those who may show a page get one (observed: `http.Redirect`). */
function answerRedirect({ req }: Context, status: 301 | 307, path: string): Response {
  const location = path + new URL(req.url).search;
  const headers = { Location: location };
  if (req.method !== "GET" && req.method !== "HEAD") return new Response(null, { status, headers });
  const words = status === 301 ? "Moved Permanently" : "Temporary Redirect";
  return new Response(String(html`<a href="${location}">${words}</a>.\n\n`), {
    status,
    headers: { ...headers, "Content-Type": "text/html; charset=utf-8" },
  });
}

/** The methods of the endpoints of a path. */
function methodsOf(app: Hono<MockEnvironment>, path: string): readonly string[] {
  return app.routes.filter((route) => route.path === path && route.method !== "ALL")
    .flatMap(({ method }) => method === "GET" ? ["HEAD", "GET"] : [method]);
}

function answerText(status: number, text: string, headers: Record<string, string> = {}): Response {
  return new Response(text, { status, headers: { ...headers, "Content-Type": "text/plain" } });
}
