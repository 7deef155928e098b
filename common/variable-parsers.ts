// The forms that a variable's text may have, and what it becomes. Pure.
import { isAbsolute } from "node:path";
import * as z from "zod";
import { isHost } from "./upstream-file.ts";

export const text = z.string().refine((value) => value.trim() === value && !/[\r\n\0]/.test(value));
export const token = z.string().regex(/^[\x21-\x7e]+$/);
export const integer = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,10}$/)
    .transform(Number)
    .pipe(z.int().min(min).max(max));
export const seconds = integer(1, 315_360_000);
export const secondsOrNone = integer(0, 315_360_000);
/** Milliseconds, given in seconds with at most three decimals. */
export const fractionOfSeconds = z
  .string()
  .regex(/^\d{1,9}(\.\d{1,3})?$/)
  .transform((value) => Math.round(Number(value) * 1000))
  .pipe(z.int().min(1).max(315_360_000_000));
export const port = integer(1, 65535);
const TRUE = new Set(["true", "1", "yes", "on"]);
const FALSE = new Set(["false", "0", "no", "off"]);
export const boolean = z
  .string()
  .transform((value) => value.toLowerCase())
  .refine((value) => TRUE.has(value) || FALSE.has(value))
  .transform((value) => TRUE.has(value));
// Paths reach nginx' configuration and log lines: what would end a directive or a line there is refused here.
export const path = z.string().refine((value) => isAbsolute(value) && !/["'\\;{}$\s\p{Cc}]/u.test(value));
export const url = (protocols: readonly string[], fits: (url: URL) => boolean = () => true) =>
  z.string().refine((value) => {
    if (!URL.canParse(value)) return false;
    const parsed = new URL(value);
    return protocols.includes(parsed.protocol) && parsed.hostname !== "" && fits(parsed);
  });
// The API's paths are added to it: one of its own would make every call a 404.
export const isBase = (parsed: URL) => parsed.pathname === "/" && parsed.search === "" && parsed.hash === "";
// A percent sign that escapes nothing ends the Redis client, and so the program, without a word about the setting.
export function hasReadablePassword({ username, password }: URL): boolean {
  try {
    decodeURIComponent(username + password);
    return true;
  } catch {
    return false;
  }
}

// Without a port, or with one; an IPv6 address stands in brackets, as in any Host header.
export const hostHeader = z.string().refine((value) => {
  const [, host = "", number] = /^(\[[^\]]*\]|[^:]*)(?::(\d{1,5}))?$/.exec(value) ?? [];
  const inBrackets = /^\[(.*:.*)\]$/.exec(host)?.[1];
  const isPort = number === undefined || (Number(number) >= 1 && Number(number) <= 65535);
  return isPort && isHost(inBrackets ?? host);
});

/** The registry login in its three parts, or null for `none`. `text` is what the API takes as `image_login`. */
export interface RegistryLogin {
  user: string;
  password: string;
  host: string;
  text: string;
}
export const login = z.string().transform((value, context): RegistryLogin | null => {
  if (value.trim() === "none") return null;
  const match = /^-u ([^\s'"]+) -p ([^\s'"]+) ([^\s'"-][^\s'"]*)$/.exec(value.trim().replace(/\s+/g, " "));
  const [, user, password, host] = match ?? [];
  if (user === undefined || password === undefined || host === undefined) {
    context.addIssue({ code: "custom" });
    return z.NEVER;
  }
  return { user, password, host, text: `-u ${user} -p ${password} ${host}` };
});

/** A header of requests to the instance. */
export interface Header {
  name: string;
  value: string;
}
// What frames a message or belongs to one connection, and what the proxy says itself: another one beside it would be a
// request that two servers read differently.
const RESERVED_HEADER =
  /^(host|content-length|content-type|transfer-encoding|connection|keep-alive|te|trailer|upgrade|expect|proxy-.*|forwarded|x-forwarded-.*|x-real-ip|x-request-id)$/i;
// RFC 9110: a name is a token, a value begins and ends with a visible character. No `$` in a name: nginx would take it
// for a variable. nginx reads no word of more than 4,095 characters, and spelling a value as nginx wants it may double it.
const HEADER = /^([!#%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\x21-\x7e](?:[\x20-\x7e]{0,1998}[\x21-\x7e])?)$/;
export const header = z.string().transform((value, context): Header => {
  const [, name, content] = HEADER.exec(value.trim()) ?? [];
  if (name === undefined || content === undefined || RESERVED_HEADER.test(name)) {
    context.addIssue({ code: "custom" });
    return z.NEVER;
  }
  return { name, value: content };
});
