// The log of an instance as it may be shown: without secrets, and without anything that controls a terminal. Pure.
import { scrub } from "../../common/logging.ts";
import { printableLines } from "../../common/terminal.ts";

// `HF_TOKEN=...`, `"api_key": "..."`, `Authorization: Bearer ...`: containers print their environment and their requests.
const NAMED_SECRET =
  /\b((?:[a-z0-9]+[_-])*(?:api[_-]?key|access[_-]?key|secret(?:[_-]?key)?|token|password|passwd|authorization)["']?\s*[=:]\s*["']?(?:(?:bearer|basic)\s+)?)[^\s"'&,;]+/gi;
const BEARER = /\b(bearer\s+)[a-z0-9._~+/=-]{8,}/gi;
const LOGIN_IN_URL = /(\b[a-z][a-z0-9+.-]*:\/\/)[^\s/@:]*:[^\s/@]+@/gi;

/** `secrets`: texts that are replaced wherever they are. */
export function logLines(text: string, secrets: readonly string[]): string[] {
  const clean = scrub(printableLines(text), secrets)
    .replaceAll(NAMED_SECRET, "$1[secret]")
    .replaceAll(BEARER, "$1[secret]")
    .replaceAll(LOGIN_IN_URL, "$1[secret]@");
  const lines = clean.split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines;
}
