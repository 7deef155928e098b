// Renders the nginx config and its hash from a server and the settings. Pure: equal input gives equal bytes.
import { createHash } from "node:crypto";
import mustache from "mustache";
import * as z from "zod";
import { type Server, sameServer, serverSchema } from "../../common/upstream-file.ts";
import { DEFAULT_CONF } from "./default-conf.ts";
import { checkRendered, checkTemplate, templateRefused } from "./template.ts";
import { NO_RENDER_INPUTS, type ProxySettings, type RenderInputs, type Target, viewOf } from "./view.ts";

export interface Config {
  text: string;
  /** SHA-256 of the rest of `text`, 64 hex digits; nginx' status port answers it. */
  hash: string;
  server: Server | null;
  /** False: `/-/ready` answers 503 although the server is served. */
  ready: boolean;
}

// A pass renders two configs, the desired one and the one without a server, mostly from the same input as the pass before.
const KEPT = 4;
const rendered = new Map<string, Config>();

/** Throws a `RenderError` whose message says what to do. */
export function renderConfig(
  target: Target | null,
  settings: ProxySettings,
  inputs: RenderInputs = NO_RENDER_INPUTS,
): Config {
  const key = JSON.stringify([target, settings, inputs]);
  const config = rendered.get(key) ?? render(target, settings, inputs);
  rendered.delete(key);
  rendered.set(key, config);
  const [oldest] = rendered.keys();
  if (rendered.size > KEPT && oldest !== undefined) rendered.delete(oldest);
  return config;
}

function render(target: Target | null, settings: ProxySettings, inputs: RenderInputs): Config {
  const { template } = inputs;
  if (template !== null) checkTemplate(template);
  const view = viewOf(target, settings, inputs);
  const withHash = (hash: string) =>
    mustache.render(template ?? DEFAULT_CONF, { ...view, hash }, {}, { escape: String });
  const hash = digest(withHash(""));
  const text = withHash(hash);
  const config = { text, hash, server: target?.server ?? null, ready: target?.ready ?? true };
  if (template !== null) {
    checkRendered(text, hash, view);
    const readBack = readConfig(text);
    const isSame = readBack?.hash === hash && sameServer(readBack.server, config.server);
    if (!isSame)
      throw templateRefused(
        "a restarted reloader could not recognise the config: use {{{hash}}} only as a value, not as a section",
      );
  }
  return config;
}

/**
 * Reads a config that `renderConfig` of this or an earlier version wrote. Null for any other text, and for a config that was
 * changed or truncated: its hash does not match its bytes.
 */
export function readConfig(text: string): Config | null {
  const hash = HASH_ANSWER.exec(text)?.[1];
  if (hash === undefined || digest(text.replace(hash, "")) !== hash) return null;
  for (const [, header = ""] of text.matchAll(HEADER)) {
    const server = serverIn(header);
    if (server !== undefined) return { text, hash, ...server };
  }
  return null;
}

const HASH_ANSWER = /return 200 "([0-9a-f]{64})\\n";/;
// A user's template may indent this comment, and have other comments that begin with the same words.
const HEADER = /^[ \t]*# vast-pod (.*?)[ \t]*$/gm;

const headerSchema = serverSchema.extend({ ready: z.boolean().optional() }).nullable();

/** Undefined when it is another comment. */
function serverIn(header: string): Pick<Config, "server" | "ready"> | undefined {
  try {
    const { data } = headerSchema.safeParse(JSON.parse(header));
    if (data === undefined) return undefined;
    if (data === null) return { server: null, ready: true };
    const { ready = true, ...server } = data;
    return { server, ready };
  } catch {
    return undefined;
  }
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
