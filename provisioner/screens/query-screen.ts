// The table of `query`: the filters that a search query means. Pure.
import { hiddenColumns, renderTable } from "../../common/table.ts";
import { oneLine } from "../../common/terminal.ts";
import type { SearchQuery } from "../search/query.ts";

const COLUMNS = [
  { head: "FIELD", key: "field" },
  { head: "OPERATOR", key: "operator" },
  { head: "VALUE", key: "value", shrink: true },
] as const;

/** `width`: columns of the terminal; null: nothing is cut. */
export function queryScreen(
  { filters, options }: Pick<SearchQuery, "filters" | "options">,
  width: number | null,
): string {
  const row = (field: string, operator: string, value: unknown) => ({
    field: oneLine(field),
    operator: oneLine(operator),
    value: oneLine(typeof value === "string" ? value : JSON.stringify(value)),
  });
  const rows = [
    ...Object.entries(filters).flatMap(([field, conditions]) =>
      Object.entries(conditions).map(([operator, value]) => row(field, operator, value)),
    ),
    ...Object.entries(options).map(([name, value]) => row(name, "", value)),
  ];
  if (rows.length === 0) return "no filters: every offer fits\n";
  const table = renderTable(COLUMNS, rows, width);
  return `${table.text}${hiddenColumns(table)}`;
}
