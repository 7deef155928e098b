// The command `render`: prints the config that `run` would give nginx for an upstream file. Reads files, DNS and nginx'
// version, writes to stdout and changes nothing.
import { systemClock } from "../../common/clock.ts";
import { type CommandCall, EXIT, type ExitCode } from "../../common/command.ts";
import { readSmallFile } from "../../common/small-file.ts";
import { readInputs } from "../inputs/read-inputs.ts";
import { refusedAddress } from "../inputs/refused-address.ts";
import { readUpstream } from "../inputs/upstream.ts";
import { fetchVersion } from "../nginx/hash-probe.ts";
import { renderConfig } from "../render/render.ts";
import { reloaderDependencies } from "./dependencies.ts";

export async function renderCommand(call: CommandCall): Promise<ExitCode> {
  const { settings, auth, template, resolver, addressRules } = reloaderDependencies(call);
  const path = typeof call.options.upstream === "string" ? call.options.upstream : settings.upstreamPath;
  const read = await readUpstream(path, readSmallFile);
  if (read.kind === "missing") throw new Error(`there is no file ${path}`);
  if (read.kind === "refused") throw new Error(read.problem);
  const { server, ready = true } = read.file;
  const resolution = server === null ? null : await resolver.resolve(server.host);
  if (resolution?.known === false) throw new Error(resolution.why);
  const refusal = server && resolution && refusedAddress(server, resolution.address, addressRules);
  if (refusal !== null) throw new Error(refusal);
  const version = await fetchVersion(settings.proxy.statusPort, systemClock);
  const inputs = await readInputs({ auth: () => auth.peek(), nginxVersion: async () => version, template });
  if (!inputs.usable) throw new Error(inputs.problem ?? "the inputs of the config cannot be used");
  const target = server === null || resolution === null ? null : { server, address: resolution.address, ready };
  const config = renderConfig(target, settings.proxy, inputs.render);
  call.terminal.out(call.output === "json" ? `${JSON.stringify(config)}\n` : config.text);
  return EXIT.done;
}
