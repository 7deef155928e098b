// What a row says about a field that a search names: aliases and columns that only filters have. Pure.
import { SHORT_NAMES } from "./fields.ts";

export type Fields = Readonly<Record<string, unknown>>;

// The same quantity under several names; the first that a row has is taken.
const SAME: readonly (readonly string[])[] = [
  ["reliability", "reliability2"],
  ["target_reliability", "expected_reliability"],
  ["dph_total", "dphtotal"],
  ["gpu_total_ram", "gpu_totalram"],
  ["os_version", "ubuntu_version"],
];
const NAMES: ReadonlyMap<string, readonly string[]> = new Map(
  SAME.flatMap((names) => names.map((name) => [name, [name, ...names]] as const)),
);

/** A number that is written as text counts as the number. Null: not one. */
export function numberOf(value: unknown): number | null {
  if (typeof value === "number") return Number.isFinite(value) ? value : null;
  if (typeof value !== "string" || !/^\s*[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?\s*$/i.test(value)) return null;
  const number = Number(value);
  return Number.isFinite(number) ? number : null;
}

/** 535086005 for "535.86.05": how driver versions are compared. Other values stay. */
export function driverNumber(version: unknown): unknown {
  if (typeof version !== "string" || !version.includes(".")) return version;
  const parts = version.trim().split(".");
  return Number([0, 1, 2].map((i) => (parts[i] ?? "").padStart(3, "0")).join(""));
}

/** "US" for "Texas, US", ", US" and "US": rows name places, filters name countries. */
export function country(place: string): string {
  return place.trim().slice(-2).toUpperCase();
}

/** The row's value of `field` in the form that filters compare with; undefined where the row does not carry it. */
export function columnOf(row: Fields, field: string): unknown {
  const get = (name: string): unknown => {
    const value = Object.hasOwn(row, name) ? row[name] : undefined;
    return typeof value === "string" ? value.trim() : value; // texts are known to come with line ends
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
      const name = SHORT_NAMES.get(field) ?? field;
      for (const one of NAMES.get(name) ?? [name]) if (get(one) !== undefined) return get(one);
      return undefined;
    }
  }
}

/** What can be put in an order: numbers by size, texts by code unit, false before true. Null: nothing to order by. */
export function comparable(value: unknown): number | string | null {
  if (typeof value === "boolean") return Number(value);
  return numberOf(value) ?? (typeof value === "string" ? value : null);
}
