// Parsers of settings: which texts are valid, and what they become. Pure.
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
/** A price, with at most six decimals. */
export const dollars = z
  .string()
  .regex(/^\d{1,4}(\.\d{1,6})?$/)
  .transform(Number)
  .pipe(z.number().positive());
export const port = integer(1, 65535);
const TRUE = new Set(["true", "1", "yes", "on"]);
const FALSE = new Set(["false", "0", "no", "off"]);
export const boolean = z
  .string()
  .transform((value) => value.toLowerCase())
  .refine((value) => TRUE.has(value) || FALSE.has(value))
  .transform((value) => TRUE.has(value));
// Paths get into the nginx config and into log lines: characters that end a directive or a line are not allowed.
export const path = z.string().refine((value) => isAbsolute(value) && !/["'\\;{}$\s\p{Cc}]/u.test(value));
export const url = (protocols: readonly string[], fits: (url: URL) => boolean = () => true) =>
  z.string().refine((value) => {
    if (!URL.canParse(value)) return false;
    const parsed = new URL(value);
    return protocols.includes(parsed.protocol) && parsed.hostname !== "" && fits(parsed);
  });
// The paths of the API are appended to it: with its own path every call would be a 404.
export const isBase = (parsed: URL) => parsed.pathname === "/" && parsed.search === "" && parsed.hash === "";
// With or without a port; an IPv6 address is in brackets, as in any Host header.
export const hostHeader = z.string().refine((value) => {
  const [, host = "", number] = /^(\[[^\]]*\]|[^:]*)(?::(\d{1,5}))?$/.exec(value) ?? [];
  const inBrackets = /^\[(.*:.*)\]$/.exec(host)?.[1];
  const isPort = number === undefined || (Number(number) >= 1 && Number(number) <= 65535);
  return isPort && isHost(inBrackets ?? host);
});

/** The registry login in its three parts, or null for `none`. `text` is the `image_login` of the API. */
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

/** A header that is added to requests to the instance. */
export interface Header {
  name: string;
  value: string;
}
// Headers that frame a message, belong to one connection, or are set by the proxy. With a second header of that name, nginx and the
// instance could read the same request differently.
const RESERVED_HEADER =
  /^(host|content-length|content-type|transfer-encoding|connection|keep-alive|te|trailer|upgrade|expect|http2-settings|proxy|proxy-.*|forwarded|x-forwarded-.*|x-real-ip|x-request-id)$/i;
// RFC 9110: a name is a token, a value begins and ends with a visible character. No `$` in a name, because nginx would read it as a
// variable. nginx reads words of at most 4,095 characters, and quoting a value for nginx may double its length.
const HEADER = /^([!#%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\x21-\x7e](?:[\x20-\x7e]{0,1998}[\x21-\x7e])?)$/;
export const header = z.string().transform((value, context): Header => {
  const [, name, content] = HEADER.exec(value.trim()) ?? [];
  if (name === undefined || content === undefined || RESERVED_HEADER.test(name)) {
    context.addIssue({ code: "custom" });
    return z.NEVER;
  }
  return { name, value: content };
});
