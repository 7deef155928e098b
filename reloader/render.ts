// Turns a server and the settings into the bytes of the nginx config and their hash. Pure: equal input, equal bytes.
import { createHash } from "node:crypto";
import mustache from "mustache";
import { type Server, serverSchema } from "../common/upstream-file.ts";
import { DEFAULT_CONF } from "./default-conf.ts";
import { checkRendered, checkTemplate } from "./template.ts";
import { type Found, NOTHING_FOUND, type ProxySettings, type Target, viewOf } from "./view.ts";

export interface Config {
  text: string;
  /** 64 hex digits over everything else in `text`; nginx' status port answers it. */
  hash: string;
  server: Server | null;
}

/** Renders. Throws a `CannotRender` whose message is for people. */
export function renderConfig(target: Target | null, settings: ProxySettings, found: Found = NOTHING_FOUND): Config {
  const { template } = found;
  if (template !== null) checkTemplate(template);
  const view = viewOf(target, settings, found);
  const render = (hash: string) => mustache.render(template ?? DEFAULT_CONF, { ...view, hash }, {}, { escape: String });
  const hash = digest(render(""));
  const text = render(hash);
  if (template !== null) checkRendered(text, hash, view);
  return { text, hash, server: target?.server ?? null };
}

/**
 * Reads a config that `renderConfig` wrote, maybe an earlier version of it. Null for any other text and for one that
 * was changed or cut: then its hash is not that of its bytes.
 */
export function readConfig(text: string): Config | null {
  const hash = HASH_ANSWER.exec(text)?.[1];
  const header = HEADER.exec(text)?.[1];
  if (hash === undefined || header === undefined || digest(text.replace(hash, "")) !== hash) return null;
  const server = serverSchema.nullable().safeParse(JSON.parse(header));
  return server.success ? { text, hash, server: server.data } : null;
}

const HASH_ANSWER = /return 200 "([0-9a-f]{64})\\n";/;
const HEADER = /^# vast-pod (.*)$/m;

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
