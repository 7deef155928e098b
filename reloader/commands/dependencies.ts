// What the commands `run` and `render` both need, made from environment and flags. Touches disk and DNS when it is used.
import { lookup } from "node:dns/promises";
import { networkInterfaces } from "node:os";
import { systemClock } from "../../common/clock.ts";
import type { CommandCall } from "../../common/command.ts";
import { readSmallFile, readSmallFileSync } from "../../common/small-file.ts";
import { AuthFile, systemAuthDisk } from "../inputs/auth-header.ts";
import { hasIpv6 } from "../inputs/ipv6.ts";
import type { InputSources } from "../inputs/read-inputs.ts";
import type { AddressRules } from "../inputs/refused-address.ts";
import { createResolver, type Resolver } from "../inputs/resolve.ts";
import { type ReloaderSettings, readAuthHeader, reloaderSettings } from "../settings.ts";

export interface ReloaderDependencies {
  settings: ReloaderSettings;
  warnings: readonly string[];
  auth: AuthFile;
  template: InputSources["template"];
  resolver: Resolver;
  addressRules: AddressRules;
}

/** Throws a `SettingsError` with every problem. */
export function reloaderDependencies({ env, flags }: Pick<CommandCall, "env" | "flags">): ReloaderDependencies {
  const source = { env, flags, readFile: readSmallFileSync };
  const { settings, warnings } = reloaderSettings(source, hasIpv6());
  const { templatePath: path, allowLocal } = settings;
  return {
    settings,
    warnings,
    auth: new AuthFile(settings.configPath, systemAuthDisk, () => readAuthHeader(source)),
    template: path === undefined ? null : { path, read: async () => (await readSmallFile(path)).text },
    resolver: createResolver(async (name) => (await lookup(name, { all: true })).map((a) => a.address), systemClock, {
      allowLocal,
    }),
    addressRules: {
      allowLocal,
      ownPorts: [settings.proxy.listenPort, settings.proxy.statusPort, settings.statusPort],
      ownAddresses: () => Object.values(networkInterfaces()).flatMap((all) => (all ?? []).map((one) => one.address)),
    },
  };
}
