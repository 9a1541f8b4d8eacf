/**
 * Which web pages may call the mock: by default pages of the same machine and of apps, as observed.
 *
 * @module
 */

import type { Context, MiddlewareHandler } from "hono";
import type { MockEnvironment } from "../exchange/exchange.ts";

/** The origins that the real server allows. */
const LOCAL_ORIGIN =
  /^(https?:\/\/(localhost|127\.0\.0\.1|0\.0\.0\.0)(:\d+)?|(app|file|tauri|vscode-webview|vscode-file):\/\/.*)$/;

const ALLOWED_HEADERS = [
  "Authorization",
  "Content-Type",
  "User-Agent",
  "Accept",
  "X-Requested-With",
];
const ALLOWED_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];
const PREFLIGHT_SECONDS = 12 * 60 * 60;

/**
 * Refuses requests from pages of other origins, and tells browsers which origins are allowed.
 *
 * @param origins Origins to allow besides those that the real server allows; `"*"` allows all.
 */
export function browserAccess(origins: readonly string[]): MiddlewareHandler<MockEnvironment> {
  const isAllowed = (origin: string) =>
    LOCAL_ORIGIN.test(origin) || origins.includes("*") || origins.includes(origin);

  return async (context, next) => {
    const origin = context.req.header("Origin");
    if (origin === undefined || isOwn(origin, context)) return await next();
    if (!isAllowed(origin)) return context.body(null, 403);
    if (context.req.method !== "OPTIONS") await next();
    else context.res = answerPreflight();
    context.header("Access-Control-Allow-Origin", origin);
    context.header("Vary", "Origin", { append: true });
  };
}

function isOwn(origin: string, context: Context): boolean {
  const { host } = new URL(context.req.url);
  return origin === `http://${host}` || origin === `https://${host}`;
}

function answerPreflight(): Response {
  const headers = {
    "Access-Control-Allow-Headers": ALLOWED_HEADERS.join(","),
    "Access-Control-Allow-Methods": ALLOWED_METHODS.join(","),
    "Access-Control-Max-Age": String(PREFLIGHT_SECONDS),
    "Vary": "Access-Control-Request-Method, Access-Control-Request-Headers",
  };
  return new Response(null, { status: 204, headers });
}
