/**
 * Clients that send wrong requests, or send them to the wrong address.
 *
 * @module
 */

import { type StrangerClient, withStatuses } from "./specimen.ts";

const REDIRECTS = [301, 302, 303, 307, 308];

/** Clients that ask for the wrong thing, or at the wrong place. */
export const requestClients: readonly StrangerClient[] = [
  withStatuses({
    name: "drops the path of the host",
    breaks: "C-REQ-1: a pull is a POST to /api/pull, under the path of the host if it has one",
    how: "The server is behind a proxy at https://example.com/ollama (ollama-python 113).",
    difficulty: "middling",
  }, { address: (host) => new URL("/api/pull", host) }),

  withStatuses({
    name: "follows every redirect with GET",
    breaks: "C-REQ-1: a pull is a POST; 307 and 308 keep the method (RFC 9110, 15.4)",
    how: "A proxy redirects to https with 308, and the client gets 405 or a page.",
    difficulty: "middling",
  }, {
    async send({ fetch }, url, init) {
      const response = await fetch(url, { ...init, redirect: "manual" });
      const location = response.headers.get("Location");
      if (!REDIRECTS.includes(response.status) || location === null) return response;
      await response.body?.cancel();
      return fetch(new URL(location, url), { signal: init.signal ?? null });
    },
  }),

  withStatuses({
    name: "loses the tag of a model on a registry with a port",
    breaks: "C-REQ-2: the body names the model, as in `[host[:port]/][namespace/]name[:tag]`",
    how: "localhost:5000/library/tiny:7b is split at the colons into a name and a tag, and the " +
      "third part is lost: the server pulls `latest`.",
    difficulty: "hard",
  }, {
    body(model) {
      const [name, tag = "latest"] = model.split(":");
      return { model: `${name}:${tag}` };
    },
  }),

  withStatuses({
    name: "writes the model in small letters",
    breaks: "C-REQ-2: the body names the model",
    how: "The tags of hf.co, such as Q4_K_M, know capital letters: the model is not found.",
    difficulty: "easy",
  }, { body: (model) => ({ model: model.toLowerCase() }) }),

  withStatuses({
    name: "always allows an insecure registry",
    breaks: "spec: `insecure` allows insecure connections; only who pulls may choose that",
    how: "A field copied from an example: whoever is on the way can send another model.",
    difficulty: "hard",
  }, { body: (model) => ({ model, insecure: true }) }),
];
