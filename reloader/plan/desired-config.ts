// Decides which config nginx is to run for what is wanted, and what clients are told while there is none. Pure but for
// the resolver that it is handed.
import type { Inputs } from "../inputs/read-inputs.ts";
import type { Resolver } from "../inputs/resolve.ts";
import type { DesiredUpstream, StatePage } from "../inputs/upstream.ts";
import { RenderError } from "../render/quote.ts";
import { type Config, renderConfig } from "../render/render.ts";
import type { ProxySettings, RenderInputs, Target } from "../render/view.ts";

/** What a pass would have nginx run. `config` null: that cannot be known now, and why is the problem. */
export interface DesiredConfig {
  config: Config | null;
  /** For when there is nothing else: answers 503, out of the built-in template. */
  unavailableConfig: Config;
  /** No server is wanted. */
  withdraws: boolean;
  /** The body of the 503 answers. */
  page: StatePage;
  problem: string | null;
  warnings: readonly string[];
}

export async function desiredConfig(
  wanted: DesiredUpstream,
  settings: ProxySettings,
  looked: Inputs,
  resolver: Resolver,
): Promise<DesiredConfig> {
  const { render: found, usable } = looked;
  const unavailableConfig = renderConfig(null, settings, { ...found, template: null });
  const base = { unavailableConfig, withdraws: wanted.server === null, page: wanted.page, warnings: [], config: null };
  const failed = (problem: string | null, reason: string, message: string): DesiredConfig => {
    // Without a server clients hear what the provisioner says, whatever is wrong here.
    const page = wanted.server === null ? wanted.page : unserved(wanted.page, reason, message);
    return { ...base, page, problem };
  };
  const cannot = (problem: string | null) => failed(problem, NO_CONFIG.reason, NO_CONFIG.message);
  let target: Target | null = null;
  const warnings: string[] = [];
  if (wanted.server !== null) {
    const resolved = await resolver.resolve(wanted.server.host);
    if (!resolved.known) return failed(resolved.why, "name_not_resolved", resolved.why);
    if (resolved.warning !== null) warnings.push(resolved.warning);
    target = { server: wanted.server, address: resolved.address };
  }
  if (!usable) return cannot(looked.problem);
  const rendered = tryRender(target, settings, found);
  if (typeof rendered === "string")
    return cannot(looked.problem === null ? rendered : `${looked.problem}; ${rendered}`);
  return { ...base, config: rendered, problem: looked.problem, warnings };
}

const NO_CONFIG = { reason: "no_config", message: "the proxy has no config for this server" };

/** What clients are told where there is a server and the proxy cannot serve it. */
export function unserved(page: StatePage, reason = NO_CONFIG.reason, message = NO_CONFIG.message): StatePage {
  return { ...page, state: "unavailable", reason, message };
}

/** The config, or why there is none. */
function tryRender(target: Target | null, settings: ProxySettings, found: RenderInputs): Config | string {
  try {
    return renderConfig(target, settings, found);
  } catch (error) {
    if (error instanceof RenderError) return error.message;
    throw error;
  }
}
