// Reads the value of a search field from an offer's row: some fields have several names, and some exist only in filters. Pure.
import { IN_GB, SHORT_NAMES } from "./fields.ts";

export type Fields = Readonly<Record<string, unknown>>;

// Names of the same quantity; the first one that a row has is used.
const ALIASES: readonly (readonly string[])[] = [
  ["reliability", "reliability2"],
  ["target_reliability", "expected_reliability"],
  ["dph_total", "dphtotal"],
  ["gpu_total_ram", "gpu_totalram"],
  ["os_version", "ubuntu_version"],
];
const NAMES: ReadonlyMap<string, readonly string[]> = new Map(
  ALIASES.flatMap((names) => names.map((name) => [name, [name, ...names]] as const)),
);

/** The value as a number, also when it is written as text; null when it is not a number. */
export function numberOf(value: unknown): number | null {
  if (typeof value === "number") return Number.isFinite(value) ? value : null;
  if (typeof value !== "string" || !/^\s*[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?\s*$/i.test(value)) return null;
  const number = Number(value);
  return Number.isFinite(number) ? number : null;
}

/** 535086005 for "535.86.05": driver versions are compared as numbers. Returns other values unchanged. */
export function driverNumber(version: unknown): unknown {
  if (typeof version !== "string" || !version.includes(".")) return version;
  const parts = version.trim().split(".");
  return Number([0, 1, 2].map((i) => (parts[i] ?? "").padStart(3, "0")).join(""));
}

/** "US" for "Texas, US", ", US" and "US": rows have places, filters have countries. */
export function country(place: string): string {
  return place.trim().slice(-2).toUpperCase();
}

/** The row's value of `field` in the form that filters use; undefined when the row does not have it. */
export function columnOf(row: Fields, field: string): unknown {
  const get = (name: string): unknown => {
    const value = Object.hasOwn(row, name) ? row[name] : undefined;
    return typeof value === "string" ? value.trim() : value; // some texts come with a line feed
  };
  switch (field) {
    case "verified": {
      const word = get("verification");
      return typeof word === "string" ? word === "verified" : undefined;
    }
    case "datacenter": {
      const type = numberOf(get("hosting_type"));
      return type === null ? undefined : type === 1;
    }
    case "external":
      return get("external") === null ? false : get("external");
    case "geolocation": {
      const place = get("geolocation");
      return typeof place === "string" ? country(place) : undefined;
    }
    case "driver_version":
      return numberOf(get("driver_vers")) ?? driverNumber(get("driver_version"));
    default: {
      const base = IN_GB.get(field);
      if (base !== undefined) {
        const megabytes = numberOf(columnOf(row, base));
        return megabytes === null ? undefined : megabytes / 1000;
      }
      const name = SHORT_NAMES.get(field) ?? field;
      for (const one of NAMES.get(name) ?? [name]) if (get(one) !== undefined) return get(one);
      return undefined;
    }
  }
}

/** The value to sort by: numbers by size, texts by code unit, false before true. Null: it cannot be sorted. */
export function comparable(value: unknown): number | string | null {
  if (typeof value === "boolean") return Number(value);
  return numberOf(value) ?? (typeof value === "string" ? value : null);
}
