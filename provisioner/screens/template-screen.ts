// The screen of `template diff` and `template apply`: field by field what the file has and what the account has. Pure.
import { hiddenColumns, renderTable } from "../../common/table.ts";
import { oneLine } from "../../common/terminal.ts";

export interface TemplateDocument {
  schema: 1;
  name: string;
  /** Null: the account has no template of that name. */
  template: { id: number; hash: string } | null;
  /** Before a write. A secret is shown as `(secret)`. */
  differences: readonly { field: string; wanted: string; reported: string }[];
  /** What `apply` did; null with `diff`. */
  done: "created" | "edited" | "nothing" | null;
  /** What the API still shows in another way than the file has it, after a write. */
  left: readonly string[];
}

const COLUMNS = [
  { head: "FIELD", key: "field" },
  { head: "IN THE ACCOUNT", key: "reported" },
  { head: "IN THE FILE", key: "wanted", shrink: true },
] as const;

/** `width`: columns of the terminal; null: nothing is cut. */
export function templateScreen({ name, template, differences }: TemplateDocument, width: number | null): string {
  const shown = JSON.stringify(oneLine(name));
  if (template === null) return `The account has no template named ${shown}: it would be created.\n`;
  const about = `The template ${shown} (${template.id}, ${oneLine(template.hash.slice(0, 8))})`;
  if (differences.length === 0) return `${about} is as the file says.\n`;
  const rows = differences.map(({ field, wanted, reported }) => ({
    field: oneLine(field),
    wanted: oneLine(wanted),
    reported: oneLine(reported),
  }));
  const table = renderTable(COLUMNS, rows, width);
  return `${about} differs from the file:\n${table.text}${hiddenColumns(table)}`;
}

/** The fields that differ, one on each line. */
export function templateNames({ differences }: TemplateDocument): string {
  return differences.map(({ field }) => `${oneLine(field)}\n`).join("");
}
