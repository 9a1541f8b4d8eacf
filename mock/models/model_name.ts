/**
 * Names of models, `[host[:port]/][namespace/]name[:tag]`, read as the real server reads them.
 *
 * @module
 */

/** The parts of a name. */
export interface ModelName {
  /** `http` or `https`, where the name begins with it. */
  readonly scheme: string | undefined;
  /** The library's host and port, or `undefined` for the default one. */
  readonly host: string | undefined;
  /** `library`, unless the name says otherwise. */
  readonly namespace: string;
  /** The name by itself. */
  readonly model: string;
  /** `latest`, unless the name says otherwise. */
  readonly tag: string;
}

const HOST = /^[A-Za-z0-9_][A-Za-z0-9_.:-]{0,349}$/;
const NAMESPACE = /^[A-Za-z0-9_][A-Za-z0-9_-]{0,79}$/;
const MODEL_OR_TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}$/;

/** Cuts a text at the last occurrence of a separator. */
function cutLast(text: string, separator: string): [before: string | undefined, after: string] {
  const at = text.lastIndexOf(separator);
  return at === -1 ? [undefined, text] : [text.slice(0, at), text.slice(at + 1)];
}

/** Reads a name, or returns `undefined` for one that the real server calls invalid. */
export function parseModelName(text: string): ModelName | undefined {
  let path = text;
  let tag = "latest";
  // A colon before the last slash belongs to a port.
  if (text.lastIndexOf(":") > text.lastIndexOf("/")) {
    const [before, after] = cutLast(text, ":");
    path = before ?? "";
    tag = after;
  }
  const [beforeModel, model] = cutLast(path, "/");
  const [beforeNamespace, namespace] = beforeModel === undefined
    ? [undefined, "library"]
    : cutLast(beforeModel, "/");
  const [, scheme, host] = /^(?:(.*?):\/\/)?(.*)$/s.exec(beforeNamespace ?? "") ?? [];
  // Observed: a scheme without a host is a slip that is let through.
  const isDefaultHost = beforeNamespace === undefined || (scheme !== undefined && host === "");
  const isValid = MODEL_OR_TAG.test(tag) && MODEL_OR_TAG.test(model) && NAMESPACE.test(namespace) &&
    (isDefaultHost || HOST.test(host ?? ""));
  return isValid ? { scheme, host: host || undefined, namespace, model, tag } : undefined;
}

/** What two names that mean the same model have in common: the real server ignores case. */
export function modelKey({ host = "", namespace, model, tag }: ModelName): string {
  return `${host}/${namespace}/${model}:${tag}`.toLowerCase();
}

/** A name as the real server shows it: without what goes without saying. */
export function shortName({ host, namespace, model, tag }: ModelName): string {
  const path = namespace === "library" && host === undefined ? model : `${namespace}/${model}`;
  return `${host === undefined ? "" : `${host}/`}${path}:${tag}`;
}
