// How amounts are written on a terminal and on the page. Pure.

/** What is not known; never 0. */
export const NOT_KNOWN = "?";

/** `0.316`: the heading says $/h. */
export function priceCell(dollarsPerHour: number | null): string {
  return dollarsPerHour === null ? NOT_KNOWN : dollarsPerHour.toFixed(3);
}

/** `$24.02` */
export function dollarsText(amount: number | null): string {
  if (amount === null) return NOT_KNOWN;
  return `${amount < 0 ? "-" : ""}$${Math.abs(amount).toFixed(2)}`;
}

/** `$0.316/h` */
export function perHourText(dollarsPerHour: number | null): string {
  return dollarsPerHour === null ? NOT_KNOWN : `$${dollarsPerHour.toFixed(3)}/h`;
}

/**
 * `40s`, `6m`, `3h 20m`, `3d 4h`, `41d`: the two largest units, and of many days only these. The page's script has the text of this
 * function in it (page/browser.ts): it must use nothing outside itself, and contain no other function.
 */
export function shortDuration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  if (seconds < 60) return `${seconds}s`;
  if (minutes < 60) return `${minutes}m`;
  if (hours < 24) return minutes % 60 === 0 ? `${hours}h` : `${hours}h ${minutes % 60}m`;
  return hours % 24 === 0 || hours >= 240 ? `${Math.floor(hours / 24)}d` : `${Math.floor(hours / 24)}d ${hours % 24}h`;
}

/** `3 bans`, `1 ban` */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
