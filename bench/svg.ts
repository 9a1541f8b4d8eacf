/**
 * Pictures as SVG, with their own background, for light and dark pages.
 *
 * @module
 */

const FONT = "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif";

/** An element of SVG. */
export function element(
  name: string,
  attributes: Readonly<Record<string, string | number>>,
  ...children: readonly string[]
): string {
  const list = Object.entries(attributes).map(([key, value]) => ` ${key}="${value}"`).join("");
  return children.length === 0
    ? `<${name}${list}/>`
    : `<${name}${list}>${children.join("")}</${name}>`;
}

/** A line of text, with a class for styles. */
export function text(kind: string, x: number, y: number, words: string): string {
  const escaped = words.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  return element("text", { class: kind, x, y }, escaped);
}

/** A coordinate with as many digits as are visible. */
export const rounded = (value: number): number => Math.round(value * 10) / 10;

/** The properties of a whole picture. */
export interface Picture {
  /** A description for people who do not see it. */
  readonly title: string;
  readonly width: number;
  readonly height: number;
  /** The style sheet of its classes. It starts with a line break. */
  readonly style: string;
}

/** A whole picture. */
export function drawPicture(
  { title, width, height, style }: Picture,
  parts: readonly string[],
): string {
  const base = `\ntext { font: 12px ${FONT}; fill: #94a3b8; dominant-baseline: central }`;
  const picture = element(
    "svg",
    {
      xmlns: "http://www.w3.org/2000/svg",
      viewBox: `0 0 ${width} ${height}`,
      width,
      role: "img",
    },
    [
      "",
      element("title", {}, title),
      element("style", {}, base + style),
      element("rect", { width: "100%", height: "100%", rx: 8, fill: "#111827" }),
      ...parts,
      "",
    ].join("\n"),
  );
  return `${picture}\n`;
}
