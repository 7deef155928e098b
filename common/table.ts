// A table as text: columns in data, numbers to the right, and columns left out where the screen is too narrow. Pure.
import { cutToWidth, displayWidth } from "./terminal.ts";

export interface Column<K extends string = string> {
  /** The heading. */
  head: string;
  /** The cell of a row. */
  key: K;
  /** For numbers. */
  right?: true;
  /** Where the table is too wide, the column with the highest number is left out first; one without a number never is. */
  drop?: number;
  /** It takes the width that the others leave, and is cut there. For one column, the last. */
  shrink?: true;
}

/** Cells may have colours. A text of a stranger goes through `oneLine` first. */
export type Row<K extends string = string> = Readonly<Record<K, string>>;

/** `text` ends with a line end. */
export interface RenderedTable {
  text: string;
  /** The headings of columns that did not fit. */
  hidden: readonly string[];
}

const GAP = "  ";
// Less than this of a sentence says nothing.
const SHRUNK_WIDTH = 24;

/** `width`: columns of the screen; null: everything is shown. */
export function renderTable<K extends string>(
  columns: readonly Column<K>[],
  rows: readonly Row<NoInfer<K>>[],
  width: number | null,
): RenderedTable {
  const widths = new Map(
    columns.map((column) => [
      column,
      Math.max(...[column.head, ...rows.map((row) => row[column.key])].map(displayWidth)),
    ]),
  );
  const full = (column: Column<K>) => widths.get(column) ?? 0;
  const least = (column: Column<K>) => (column.shrink ? Math.min(full(column), SHRUNK_WIDTH) : full(column));
  const total = (shown: readonly Column<K>[], widthOf: (column: Column<K>) => number) =>
    shown.reduce((sum, column) => sum + widthOf(column), GAP.length * (shown.length - 1));
  let shown = [...columns];
  if (width !== null) {
    const droppable = columns
      .filter(({ drop }) => drop !== undefined)
      .toSorted((a, b) => (b.drop ?? 0) - (a.drop ?? 0));
    for (const column of droppable) {
      if (total(shown, least) <= width) break;
      shown = shown.filter((one) => one !== column);
    }
  }
  const spare = width === null ? Number.POSITIVE_INFINITY : width - total(shown, least);
  const final = (column: Column<K>) =>
    column.shrink ? Math.min(full(column), least(column) + Math.max(0, spare)) : full(column);
  const line = (cell: (column: Column<K>) => string) =>
    shown
      .map((column, i) => {
        const text = cutToWidth(cell(column), final(column));
        const blanks = " ".repeat(final(column) - displayWidth(text));
        return column.right ? blanks + text : i === shown.length - 1 ? text : text + blanks;
      })
      .join(GAP)
      .trimEnd();
  const lines = [line(({ head }) => head), ...rows.map((row) => line(({ key }) => row[key]))];
  return {
    text: `${lines.join("\n")}\n`,
    hidden: columns.filter((column) => !shown.includes(column)).map(({ head }) => head),
  };
}

/** The line below a table that names what did not fit; empty when all is shown. */
export function hiddenColumns({ hidden }: RenderedTable): string {
  return hidden.length === 0 ? "" : `(hidden to fit: ${hidden.join(", ")}; -o wide shows them)\n`;
}
