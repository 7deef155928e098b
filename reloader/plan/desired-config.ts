// Decides which config nginx is to run for the desired server, and the body of the 503 answers while there is none. Pure.
import type { StatePage } from "../inputs/upstream.ts";
import { accessLogFor } from "../nginx/access-log.ts";
import { RenderError } from "../render/quote.ts";
import { type Config, renderConfig } from "../render/render.ts";
import type { ProxySettings, RenderInputs, Target } from "../render/view.ts";
import type { ReloadInput } from "./input.ts";

export interface DesiredConfig {
  /** Null: it cannot be rendered now, and `problem` says why. */
  config: Config | null;
  /** Answers 503, rendered from the built-in template: for when there is no other config. */
  unavailableConfig: Config;
  /** No server is desired, or one that must not be used. */
  withdraws: boolean;
  /** The server must not be used, and `problem` says why. */
  isRefused: boolean;
  /** The body of the 503 answers. */
  page: StatePage;
  problem: string | null;
  warnings: readonly string[];
}

/** `logRefusal`: why nginx once refused to open the access log, null when it did not. */
export function desiredConfig(input: ReloadInput, logRefusal: string | null): DesiredConfig {
  const { inputs, resolution, refusal } = input;
  const isRefused = refusal !== null;
  const server = isRefused ? null : input.upstream.desired.server;
  const page = isRefused
    ? unavailablePage(input.upstream.desired.page, "address_refused", refusal)
    : input.upstream.desired.page;
  const log = accessLogFor(input.proxy.accessLog, input.logTarget, logRefusal);
  const proxy = { ...input.proxy, accessLog: log.path };
  const warnings = log.warning === null ? [] : [log.warning];
  const unavailableConfig = renderConfig(null, proxy, { ...inputs.render, template: null });
  const base = { config: null, unavailableConfig, withdraws: server === null, isRefused, page, warnings };
  const failed = (problem: string | null, reason?: string, message?: string): DesiredConfig => {
    // Without a server the provisioner's own message is right, whatever fails here.
    return { ...base, page: server === null ? page : unavailablePage(page, reason, message), problem: and(problem) };
  };
  const and = (problem: string | null) => [refusal, problem].filter((one) => one !== null).join("; ") || null;
  let target: Target | null = null;
  if (server !== null && resolution !== null) {
    if (!resolution.known) return failed(resolution.why, "name_not_resolved", resolution.why);
    if (resolution.warning !== null) warnings.push(resolution.warning);
    target = { server, address: resolution.address, ready: input.upstream.desired.ready };
  }
  if (!inputs.usable) return failed(inputs.problem);
  const rendered = tryRender(target, proxy, inputs.render);
  if (typeof rendered !== "string") return { ...base, config: rendered, problem: and(inputs.problem) };
  return failed(inputs.problem === null ? rendered : `${inputs.problem}; ${rendered}`);
}

/** The body of the 503 answers when there is a server but the proxy cannot serve it. */
export function unavailablePage(
  page: StatePage,
  reason = "no_config",
  message = "the proxy has no config for this server",
): StatePage {
  return { ...page, state: "unavailable", reason, message };
}

/** The config, or why it cannot be rendered. */
function tryRender(target: Target | null, proxy: ProxySettings, inputs: RenderInputs): Config | string {
  try {
    return renderConfig(target, proxy, inputs);
  } catch (error) {
    if (error instanceof RenderError) return error.message;
    throw error;
  }
}
