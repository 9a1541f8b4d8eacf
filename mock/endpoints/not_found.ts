/**
 * Answers requests for which the mock has no endpoint. Like the real server (observed), it answers 405 for a
 * wrong method, a redirect for extra slashes, and 404 otherwise. An endpoint that only the real server has is
 * a 501, so that nobody mistakes it for a typo in the path.
 *
 * @module
 */

import type { Context, Hono, MiddlewareHandler } from "hono";
import { html } from "hono/html";
import type { MockEnvironment } from "../exchange/exchange.ts";
import { answerJson, answerText } from "../exchange/json_answer.ts";
import { findOllamaRoute } from "./ollama_routes.ts";

const TEXT = { "Content-Type": "text/plain" };

/** Answers a request for which an app has no endpoint. */
export function answerNotFound(app: Hono<MockEnvironment>, context: Context): Response {
  const { path, method } = context.req;
  const allowed = methodsOf(app, path);
  if (allowed.length > 0 && !allowed.includes(method)) {
    return answerText("405 method not allowed", 405, { ...TEXT, Allow: allowed.join(", ") });
  }
  if (isMissing(app, path, method)) return answerNotImplemented(method, path);
  // Go's `ServeMux` merges slashes before Gin looks for an endpoint.
  const merged = path.replace(/\/{2,}/g, "/");
  if (merged !== path) return answerRedirect(context, 307, merged);
  const tidied = path.replace(/(?<=.)\/$/, "");
  if (tidied !== path && methodsOf(app, tidied).includes(method)) {
    return answerRedirect(context, method === "GET" ? 301 : 307, tidied);
  }
  return answerText("404 page not found", 404, TEXT);
}

/**
 * Redirects to another path. Only answers to GET and HEAD have a page with a link (observed:
 * `http.Redirect`).
 */
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

/** Refuses HEAD where the real server does: Hono answers it wherever it answers GET. */
export function refuseHead(): MiddlewareHandler<MockEnvironment> {
  return async (context, next) => {
    const route = findOllamaRoute(context.req.path);
    const isRefused = route !== undefined && !route.methods.includes("HEAD");
    if (context.req.method === "HEAD" && isRefused) return await context.notFound();
    return await next();
  };
}

/**
 * Whether the app answers a path itself: it has an endpoint there, or redirects to one. A wrong method
 * counts, too, unless the real server accepts that method there.
 */
export function isServed(app: Hono<MockEnvironment>, request: Request): boolean {
  const path = app.getPath(request);
  if (isMissing(app, path, request.method)) return false;
  const methods = new Set(app.routes.map(({ method }) => method).filter(isSpecific));
  return [path, tidy(path)].some((path) =>
    [...methods].some((method) =>
      app.router.match(method, path)[0].some(([[, route]]) => isSpecific(route.method))
    )
  );
}

/** Whether a method belongs to an endpoint, not to middleware. */
function isSpecific(method: string): boolean {
  return method !== "ALL";
}

/** A path without repeated or trailing slashes. */
function tidy(path: string): string {
  return path.replace(/\/+/g, "/").replace(/(?<=.)\/$/, "");
}

/** Whether the real server has this path and method, and the app does not. */
function isMissing(app: Hono<MockEnvironment>, path: string, method: string): boolean {
  const route = findOllamaRoute(path);
  if (!route) return false;
  const own = ownMethodsOf(app, route.path);
  return own.length === 0 || (route.methods.includes(method) && !own.includes(method));
}

/** The methods that the app or the real server accepts at a path. */
function methodsOf(app: Hono<MockEnvironment>, path: string): readonly string[] {
  return findOllamaRoute(path)?.methods ?? ownMethodsOf(app, path);
}

/** The methods of an app's endpoints at a path, as it was registered. */
function ownMethodsOf(app: Hono<MockEnvironment>, path: string): readonly string[] {
  return app.routes.filter((route) => route.path === path && isSpecific(route.method))
    .flatMap(({ method }) => method === "GET" ? ["HEAD", "GET"] : [method]);
}

function answerNotImplemented(method: string, path: string): Response {
  const error =
    `The mock has no ${method} ${path}: to add it, give the mock a fallback that answers ` +
    "it, such as another server (createMockServer({ fallback }), or mock --fallback URL)";
  return answerJson({ error }, 501);
}
