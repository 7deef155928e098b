// Points out conditions that were probably meant in another unit: 24 (MB) where 24000 was meant, or 24000 (GB) where 24 was. Pure.
import { numberOf } from "./columns.ts";
import { type Filters, IN_GB, type Operator, UNITS } from "./fields.ts";

interface Unit {
  /** As the API and a JSON query have it, and as a text query has it. */
  json: string;
  text: string;
  /** What a text query's value is multiplied by. */
  textFactor: number;
}

/** Null: the value is a plain number. */
export function unitOf(field: string): Unit | null {
  if (IN_GB.has(field) || field === "disk_space") return { json: "GB", text: "GB", textFactor: 1 };
  if (field === "gpu_totalram") return { json: "MB", text: "MB", textFactor: 1 };
  const textFactor = UNITS.get(field);
  if (textFactor === undefined) return null;
  return field === "duration" ? { json: "seconds", text: "days", textFactor } : { json: "MB", text: "GB", textFactor };
}

/** What an offer can have, in the API's unit, and the factor of the slip. No GPU has 400 GB, no machine 5 TB of memory. */
interface Range {
  least: number;
  most: number;
  factor: number;
}
const MEGABYTES = { least: 1000, most: 5_000_000, factor: 1000 };
const RANGES: ReadonlyMap<string, Range> = new Map([
  ["gpu_ram", { ...MEGABYTES, most: 400_000 }],
  ["gpu_total_ram", MEGABYTES],
  ["gpu_totalram", MEGABYTES],
  ["cpu_ram", MEGABYTES],
  ["disk_space", { least: 1, most: 30_000, factor: 1000 }],
  ["duration", { least: 600, most: 100 * 365 * 86_400, factor: 86_400 }],
]);

const COMPARED: readonly Operator[] = ["eq", "gt", "gte", "lt", "lte", "in"];

/** One sentence for each such condition. `isJson`: how the query is written. */
export function wrongUnitWarnings(filters: Filters, isJson: boolean): string[] {
  return Object.entries(filters).flatMap(([field, condition]) =>
    COMPARED.flatMap((operator) => {
      const values = [condition[operator]].flat().map(numberOf);
      const off = values.flatMap((value) => (value === null ? [] : (meantFor(field, value) ?? [])));
      const [meant] = off;
      return meant === undefined ? [] : [sentence(field, operator, meant, isJson)];
    }),
  );
}

interface Slip {
  value: number;
  meant: number;
}

function meantFor(field: string, value: number): Slip | null {
  const base = IN_GB.get(field);
  const range = RANGES.get(base ?? field);
  if (range === undefined || value === 0) return null;
  const scale = base === undefined ? 1 : 1000;
  const inUnit = value * scale;
  const isOutside = (one: number) => one < range.least || one > range.most;
  const meant = inUnit < range.least ? value * range.factor : value / range.factor;
  return isOutside(inUnit) && !isOutside(meant * scale) ? { value, meant } : null;
}

function sentence(field: string, operator: Operator, { value, meant }: Slip, isJson: boolean): string {
  const unit = unitOf(field);
  const factor = isJson ? 1 : (unit?.textFactor ?? 1);
  const name = isJson ? unit?.json : unit?.text;
  const shown = (one: number) => String(Number((one / factor).toPrecision(6)));
  const sent = factor === 1 ? "" : ` and is sent as ${value}`;
  return `${field} ${operator} ${shown(value)} means ${shown(value)} ${name}${sent}: probably ${shown(meant)} was meant`;
}
