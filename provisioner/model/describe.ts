// How an instance is named in messages. Pure.
import type { Instance } from "../vast/rows.ts";

/** `2x RTX 4090`; the name alone where the number is unknown; empty where the name is. */
export function gpuText({ gpuName, gpus }: Pick<Instance, "gpuName" | "gpus">): string {
  return gpuName === "" || gpus === null ? gpuName : `${gpus}x ${gpuName}`;
}

/** `instance 7835610 (RTX 4090, $0.316/h)` */
export function describe(row: Instance): string {
  const price = row.dollarsPerHour === null ? null : `$${row.dollarsPerHour.toFixed(3)}/h`;
  const facts = [row.gpuName, price].filter((fact) => fact);
  return `instance ${row.id}${facts.length > 0 ? ` (${facts.join(", ")})` : ""}`;
}
