// Decides whether a user's own template will do: it must be mustache, use known names alone, and render a config that
// can be verified. What nginx makes of the rest, nginx says. Pure.
import mustache from "mustache";
import { RenderError } from "./quote.ts";
import type { TemplateView } from "./view.ts";

/** Every name of the view, with what stands inside each section. A template that uses another one has a slip in it. */
export const VIEW_NAMES: ReadonlySet<string> = new Set([
  ...["server", "hash", "listenPort", "statusPort", "ipv6", "accessLog", "path", "maxBodySize", "buffering"],
  ...["timeoutSeconds", "retryAfterSeconds", "stateFolder", "stateFile", "keepIdleClientsSeconds", "proxied"],
  ...["endpoint", "scheme", "host", "keepaliveConnections", "keepalive"],
  ...["tls", "name", "verify", "authorities", "auth", "header", "file"],
]);

const SECTION = new Set(["#", "^"]);
const VALUE = new Set(["name", "&"]);

/** Throws a `CannotRender` that names the line, where `template` is no mustache or uses what the view lacks. */
export function checkTemplate(template: string): void {
  let spans: mustache.TemplateSpans;
  try {
    spans = mustache.parse(template);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const [, reason, offset] = /^(.*) at (\d+)$/s.exec(message) ?? [];
    throw templateRefused(reason ?? message, offset === undefined ? null : lineOf(template, Number(offset)));
  }
  const walk = (tokens: mustache.TemplateSpans): void => {
    for (const token of tokens) {
      const [kind, name, offset, , inside] = token;
      // Counted only for a refusal: for each of many thousand tags it would take longer than anybody waits.
      const refused = (why: string) => templateRefused(why, lineOf(template, offset));
      if (kind === ">") throw refused(`{{> ${name}}} is a partial, and there are none`);
      const isName = SECTION.has(kind) || VALUE.has(kind);
      if (isName && name !== "." && !VIEW_NAMES.has(name)) throw refused(`there is no {{${name}}}`);
      if (Array.isArray(inside)) walk(inside);
    }
  };
  walk(spans);
}

/** Throws a `CannotRender` where the config of a user's template lacks what cannot be done without. */
export function checkRendered(text: string, hash: string, view: TemplateView): void {
  const lines = text.split("\n").map((line) => line.trim());
  const needs = (rendered: string, template: string, why: string) => {
    if (!lines.includes(rendered)) throw templateRefused(`it lacks the line \`${template}\`, ${why}`);
  };
  const proof = "without which it cannot be proven what nginx runs";
  needs(`# vast-pod ${view.server}`, "# vast-pod {{{server}}}", proof);
  needs(`listen 127.0.0.1:${view.statusPort};`, "listen 127.0.0.1:{{{statusPort}}};", proof);
  needs(`return 200 "${hash}\\n";`, 'return 200 "{{{hash}}}\\n";', proof);
  if (text.split(hash).length > 2) throw templateRefused("it uses {{{hash}}} more than once");
  if (view.proxied === null || view.proxied.auth === null) return;
  const { header, file } = view.proxied.auth;
  const secret = "without which UPSTREAM_AUTH_HEADER would not be sent";
  needs(`include ${file};`, "include {{{file}}};", secret);
  needs(`proxy_set_header ${header} $vast_pod_auth;`, "proxy_set_header {{{header}}} $vast_pod_auth;", secret);
}

/** The error for a template that cannot be used. */
export function templateRefused(why: string, line: number | null = null): RenderError {
  const at = line === null ? "" : ` (line ${line})`;
  return new RenderError(`the template of NGINX_TEMPLATE_PATH cannot be used: ${why}${at}`);
}

const lineOf = (text: string, offset: number) => text.slice(0, offset).split("\n").length;
