// Decides whether a user's template can be used: it must be valid mustache, use only known names, and render a config that
// can be verified. nginx itself checks the rest. Pure.
import mustache from "mustache";
import { messageOf } from "../../common/errors.ts";
import { RenderError } from "./quote.ts";
import type { TemplateView } from "./view.ts";

/** Every name of the view, including those inside sections. A template that uses another name has a mistake. */
export const VIEW_NAMES: ReadonlySet<string> = new Set([
  ...[
    "server",
    "hash",
    "listenPort",
    "statusPort",
    "ipv6",
    "accessLog",
    "path",
    "maxBodySize",
    "buffering",
    "trustForwarded",
  ],
  ...["timeoutSeconds", "retryAfterSeconds", "stateFolder", "stateFile", "keepIdleClientsSeconds", "proxied"],
  ...["endpoint", "notReady", "scheme", "host", "keepaliveConnections", "keepalive"],
  ...["tls", "name", "verify", "authorities", "auth", "header", "file"],
]);

const SECTION = new Set(["#", "^"]);
const VALUE = new Set(["name", "&"]);

/** Throws a `RenderError` with the line when `template` is not valid mustache or uses a name that the view does not have. */
export function checkTemplate(template: string): void {
  let spans: mustache.TemplateSpans;
  try {
    spans = mustache.parse(template);
  } catch (error) {
    const message = messageOf(error);
    const [, reason, offset] = /^(.*) at (\d+)$/s.exec(message) ?? [];
    throw templateRefused(reason ?? message, offset === undefined ? null : lineOf(template, Number(offset)));
  }
  const walk = (tokens: mustache.TemplateSpans): void => {
    for (const token of tokens) {
      const [kind, name, offset, , inside] = token;
      // The line is counted only for a refusal: counting it for each of many thousand tags would take too long.
      const refused = (why: string) => templateRefused(why, lineOf(template, offset));
      if (kind === ">") throw refused(`{{> ${name}}} is a partial, and partials are not supported`);
      const isName = SECTION.has(kind) || VALUE.has(kind);
      if (isName && name !== "." && !VIEW_NAMES.has(name)) throw refused(`there is no {{${name}}}`);
      if (Array.isArray(inside)) walk(inside);
    }
  };
  walk(spans);
}

/** Throws a `RenderError` when the config of a user's template does not have a line that is required. */
export function checkRendered(text: string, hash: string, view: TemplateView): void {
  const lines = text.split("\n").map((line) => line.trim());
  const needs = (rendered: string, template: string, why: string) => {
    if (!lines.includes(rendered)) throw templateRefused(`it must have the line \`${template}\`, ${why}`);
  };
  const proof = "because the reloader verifies with it which config nginx runs";
  needs(`# vast-pod ${view.server}`, "# vast-pod {{{server}}}", proof);
  needs(`listen 127.0.0.1:${view.statusPort};`, "listen 127.0.0.1:{{{statusPort}}};", proof);
  needs(`return 200 "${hash}\\n";`, 'return 200 "{{{hash}}}\\n";', proof);
  if (text.split(hash).length > 2) throw templateRefused("it uses {{{hash}}} more than once");
  if (view.proxied === null || view.proxied.auth === null) return;
  const { header, file } = view.proxied.auth;
  const secret = "because UPSTREAM_AUTH_HEADER is not sent without it";
  needs(`include ${file};`, "include {{{file}}};", secret);
  needs(`proxy_set_header ${header} $vast_pod_auth;`, "proxy_set_header {{{header}}} $vast_pod_auth;", secret);
}

/** The error for a template that cannot be used. `line`: where the mistake is, null when that is not known. */
export function templateRefused(why: string, line: number | null = null): RenderError {
  const at = line === null ? "" : ` (line ${line})`;
  return new RenderError(`the template of NGINX_TEMPLATE_PATH cannot be used: ${why}${at}`);
}

/** The number of the line at `offset`. */
const lineOf = (text: string, offset: number) => text.slice(0, offset).split("\n").length;
