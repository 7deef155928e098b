// Inputs, memories and plans that the tests of the reloader's plan begin with. Pure.
import type { Server } from "../../../../common/upstream-file.ts";
import { upstreamOfGood } from "../../../../reloader/inputs/upstream.ts";
import type { ReloadInput } from "../../../../reloader/plan/input.ts";
import { NO_RENDER_INPUTS } from "../../../../reloader/render/view.ts";
import { PROXY } from "../samples.ts";

/** What a pass reads when the upstream file has this server, and everything else can be used. */
export function inputFor(server: Server | null, change: Partial<ReloadInput> = {}): ReloadInput {
  return {
    proxy: PROXY,
    upstream: { desired: { ...upstreamOfGood(server), generation: 6 }, problem: null },
    upstreamWrittenAt: 400,
    resolution: server === null ? null : { known: true, address: server.host, warning: null },
    refusal: null,
    inputs: { render: NO_RENDER_INPUTS, usable: true, problem: null },
    logTarget: null,
    good: null,
    ...change,
  };
}

/** An input whose config cannot be rendered, because a file of the settings cannot be read. */
export const unusable = (problem: string): Partial<ReloadInput> => ({
  inputs: { render: NO_RENDER_INPUTS, usable: false, problem },
});
