/**
 * What is known about each proxy: which rules it breaks with the configuration from its documentation, which
 * ones it breaks with any configuration, and why.
 *
 * @module
 */

import type { Subject } from "../subject.ts";

/** What is known about a proxy. */
export interface Known {
  /** The configurations from documentation. */
  readonly defaults: readonly Default[];
  /** The rules it breaks with any configuration. @default nothing */
  readonly limits?: Subject["breaks"];
}

/** A configuration from documentation. */
export interface Default {
  /** What it is called. @default "default" */
  readonly name?: string;
  /** The file in `defaults/`. */
  readonly file: string;
  /** The rules broken with it, each with the reason. */
  readonly breaks: Subject["breaks"];
}

/** Why most proxies cannot wait for a minute. */
function waits(setting: string): Subject["breaks"] {
  return { "P-SILENCE-1": setting, "P-SILENCE-2": setting };
}

/** Rules broken by a proxy that checks its client only when there is something to send. */
function seesNobodyLeave(because: string): Subject["breaks"] {
  return { "P-LEAVE-2": because, "P-LEAVE-3": because };
}

const BUFFERED = "`proxy_buffering` is on: a buffer is sent when it is full, or at the end";

/** Rules broken with the configuration for nginx in Ollama's FAQ. */
const NGINX_BREAKS: Subject["breaks"] = {
  "S-REQ-11": "`client_max_body_size` is 1 MB",
  "S-HTTP-3": "a body that is too large is refused with a page",
  "S-FRAME-4": BUFFERED,
  "S-FRAME-5": BUFFERED,
  "P-BREAK-1": "the server is asked over HTTP/1.0, where a broken connection is an end",
  "P-SIZE-1": "`client_max_body_size` is 1 MB",
  ...waits("`proxy_read_timeout` is 60 s"),
};

const FROM_CLIENT = "the server gets the name by which the client asks";

const APACHE_LIMITS = seesNobodyLeave(
  "`mod_proxy_http` waits for the server, and finds out at the next line that nobody listens",
);

const VARNISH_LIMITS = seesNobodyLeave(
  "a fetch waits for the server, and is cancelled at the next line that nobody listens to",
);

const CADDY_LIMITS: Subject["breaks"] = {
  "P-BREAK-1": "`reverse_proxy` logs `aborting with incomplete response`, and ends the answer",
};

/** What is known about each proxy, by name. */
export const KNOWN: Readonly<Record<string, Known>> = {
  "nginx": {
    defaults: [
      { file: "nginx.conf", breaks: NGINX_BREAKS },
      {
        name: "default with gzip",
        file: "nginx_gzip.conf",
        breaks: {
          ...NGINX_BREAKS,
          "S-REQ-9": "`gzip on` compresses for who says that it can decode",
        },
      },
    ],
  },
  "HAProxy": {
    defaults: [{
      file: "haproxy.cfg",
      breaks: {
        ...seesNobodyLeave("without `abortonclose`, it goes on when a client closes its side"),
        "P-HOST-1": FROM_CLIENT,
        ...waits("`timeout client` and `timeout server` are 50 s"),
      },
    }],
  },
  "Caddy": {
    defaults: [{ file: "Caddyfile", breaks: { ...CADDY_LIMITS, "P-HOST-1": FROM_CLIENT } }],
    limits: CADDY_LIMITS,
  },
  "Apache": {
    defaults: [{
      file: "apache.conf",
      breaks: { ...APACHE_LIMITS, ...waits("`Timeout` is 60 s") },
    }],
    limits: APACHE_LIMITS,
  },
  "Varnish": {
    defaults: [{
      file: "varnish.vcl",
      breaks: {
        ...VARNISH_LIMITS,
        "P-HOST-1": FROM_CLIENT,
        ...waits("`first_byte_timeout` and `between_bytes_timeout` are 60 s"),
      },
    }],
    limits: VARNISH_LIMITS,
  },
};
