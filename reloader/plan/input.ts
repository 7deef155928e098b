// What one pass has read and a decision is made from. Types only.
import type { InputsRead } from "../inputs/read-inputs.ts";
import type { Resolution } from "../inputs/resolve.ts";
import type { UpstreamDecision } from "../inputs/upstream.ts";
import type { Config } from "../render/render.ts";
import type { ProxySettings } from "../render/view.ts";

export interface ReloadInput {
  proxy: ProxySettings;
  /** Which server nginx is to serve, and why that is not what the upstream file says. */
  upstream: UpstreamDecision;
  /** Epoch ms of the upstream file's last write; null when there is no usable one. */
  upstreamWrittenAt: number | null;
  /** The address of the desired server's host; null when no server is desired. */
  resolution: Resolution | null;
  /** Why this address must not be used; null when it may. */
  refusal: string | null;
  /** The secret header, nginx' version and the user's template. */
  inputs: InputsRead;
  /** What nginx' access log descriptor points to, as last seen; null when that is not known. */
  logTarget: string | null;
  /** The last config that nginx was proven to run, in this run or an earlier one. */
  good: Config | null;
}
