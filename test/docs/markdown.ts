// Markdown: tables whose rows fit into a line, the links of a document and the anchors of its headings. Pure.

/** The longest line of a document, in characters. */
export const LINE_WIDTH = 140;
// In a row that is too long, a cell before the last one gets so many characters.
const CELL_WIDTH = 64;
const LEAST_LAST_WIDTH = 30;

/** A table. A cell that is too long for the line continues in further rows, whose other cells are empty. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const rule = `|${head.map(() => "---|").join("")}`;
  return [line(head), rule, ...rows.flatMap(foldedRow)].join("\n");
}

/** A point of a list; what is too long for the line continues below. */
export function listItem(text: string): string {
  return `- ${fold(text, LINE_WIDTH - 2).join("\n  ")}`;
}

const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;

function foldedRow(cells: readonly string[]): string[] {
  const whole = line(cells.map(escaped));
  if (whole.length <= LINE_WIDTH) return [whole];
  const folded = cells.slice(0, -1).map((cell) => fold(escaped(cell), CELL_WIDTH));
  const taken = folded.map((pieces) => Math.max(...pieces.map((piece) => piece.length)));
  const frame = 3 * cells.length + 1;
  const left = LINE_WIDTH - frame - taken.reduce((sum, width) => sum + width, 0);
  const all = [...folded, fold(escaped(cells.at(-1) ?? ""), Math.max(left, LEAST_LAST_WIDTH))];
  const height = Math.max(...all.map((pieces) => pieces.length));
  return Array.from({ length: height }, (_, i) => line(all.map((pieces) => pieces[i] ?? "")));
}

const escaped = (cell: string) => cell.replaceAll("|", "\\|");

/** The text in pieces of at most `width` characters, without a break inside of `code`. */
function fold(text: string, width: number): string[] {
  const pieces: string[] = [];
  let piece = "";
  for (const [word] of text.matchAll(/(?:`[^`]*`|[^\s`])+/g)) {
    if (piece !== "" && piece.length + 1 + word.length > width) {
      pieces.push(piece);
      piece = word;
    } else piece = piece === "" ? word : `${piece} ${word}`;
  }
  return [...pieces, piece];
}

/** The text without its code blocks. */
export function withoutCode(text: string): string {
  return text.replaceAll(/^```[\s\S]*?^```$/gm, "");
}

/** The targets of all links, without those to other sites. */
export function relativeLinks(text: string): string[] {
  const targets = [...withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => `${target}`);
  return targets.filter((target) => !/^[a-z]+:/.test(target));
}

/** The anchors that the headings of a document get on GitHub. */
export function anchors(text: string): string[] {
  const headings = [...withoutCode(text).matchAll(/^#+ (.+)$/gm)].map(([, heading]) => `${heading}`);
  return headings.map((heading) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
      .replaceAll(/\s/g, "-"),
  );
}
