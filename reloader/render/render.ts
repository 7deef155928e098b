// Turns a server and the settings into the bytes of the nginx config and their hash. Pure: equal input, equal bytes.
import { createHash } from "node:crypto";
import mustache from "mustache";
import { type Server, sameServer, serverSchema } from "../../common/upstream-file.ts";
import { DEFAULT_CONF } from "./default-conf.ts";
import { checkRendered, checkTemplate, templateRefused } from "./template.ts";
import { NO_RENDER_INPUTS, type ProxySettings, type RenderInputs, type Target, viewOf } from "./view.ts";

export interface Config {
  text: string;
  /** 64 hex digits over everything else in `text`; nginx' status port answers it. */
  hash: string;
  server: Server | null;
}

/** Renders. Throws a `CannotRender` whose message is for people. */
export function renderConfig(
  target: Target | null,
  settings: ProxySettings,
  found: RenderInputs = NO_RENDER_INPUTS,
): Config {
  const { template } = found;
  if (template !== null) checkTemplate(template);
  const view = viewOf(target, settings, found);
  const render = (hash: string) => mustache.render(template ?? DEFAULT_CONF, { ...view, hash }, {}, { escape: String });
  const hash = digest(render(""));
  const text = render(hash);
  const config = { text, hash, server: target?.server ?? null };
  if (template !== null) {
    checkRendered(text, hash, view);
    const readBack = readConfig(text);
    const isSame = readBack?.hash === hash && sameServer(readBack.server, config.server);
    if (!isSame)
      throw templateRefused("a restarted reloader could not recognise it: {{{hash}}} may stand there as a value alone");
  }
  return config;
}

/**
 * Reads a config that `renderConfig` wrote, maybe an earlier version of it. Null for any other text and for one that
 * was changed or cut: then its hash is not that of its bytes.
 */
export function readConfig(text: string): Config | null {
  const hash = HASH_ANSWER.exec(text)?.[1];
  if (hash === undefined || digest(text.replace(hash, "")) !== hash) return null;
  for (const [, header = ""] of text.matchAll(HEADER)) {
    const server = serverIn(header);
    if (server !== undefined) return { text, hash, server };
  }
  return null;
}

const HASH_ANSWER = /return 200 "([0-9a-f]{64})\\n";/;
// A user's own template may indent it, and have other comments that begin alike.
const HEADER = /^[ \t]*# vast-pod (.*?)[ \t]*$/gm;

/** Undefined: it is another comment. */
function serverIn(header: string): Server | null | undefined {
  try {
    return serverSchema.nullable().safeParse(JSON.parse(header)).data;
  } catch {
    return undefined;
  }
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
