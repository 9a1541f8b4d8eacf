/**
 * Answers what the mock has no endpoint for. As the real server (observed): 405 for a wrong method, a
 * redirect for extra slashes, otherwise 404. An endpoint that the real server has, and the mock has not,
 * is 501, so that nobody takes it for a path with a slip in it.
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
 * Whether a path is that of an endpoint of an app, for any method but such as only the real server answers,
 * or is redirected to one.
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

/** Whether a method is that of an endpoint, not that of middleware. */
function isSpecific(method: string): boolean {
  return method !== "ALL";
}

/** A path without the slashes that are too many. */
function tidy(path: string): string {
  return path.replace(/\/+/g, "/").replace(/(?<=.)\/$/, "");
}

/** Whether the real server has an endpoint that an app lacks: the path, or the method there. */
function isMissing(app: Hono<MockEnvironment>, path: string, method: string): boolean {
  const route = findOllamaRoute(path);
  if (!route) return false;
  const own = ownMethodsOf(app, route.path);
  return own.length === 0 || (route.methods.includes(method) && !own.includes(method));
}

/** The methods of the endpoint at a path, in the app or in the real server. */
function methodsOf(app: Hono<MockEnvironment>, path: string): readonly string[] {
  return findOllamaRoute(path)?.methods ?? ownMethodsOf(app, path);
}

/** The methods of the endpoints of an app at a path, as it was registered. */
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
