// `vast-provisioner doctor --rent`: wires settings, account, state file and signals for the trial. Touches all of these and the terminal.
import { rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { systemClock as clock } from "../../common/clock.ts";
import type { CommandCall } from "../../common/command.ts";
import { messageOf } from "../../common/errors.ts";
import { logDestination } from "../../common/log-destination.ts";
import { createLogger, scrub } from "../../common/logging.ts";
import { type Finding, fail } from "../doctor/findings.ts";
import { rentOnce, trialLabel } from "../doctor/rent.ts";
import type { Ban } from "../model/observation.ts";
import { createProbe } from "../observe/probe.ts";
import { requirements } from "../search/requirements.ts";
import type { ProvisionerSettings } from "../settings.ts";
import { createStateFile } from "../state/state-file.ts";
import type { VastClient } from "../vast/client.ts";
import { confirmOnTerminal } from "./confirm.ts";

// Beside the provisioner's own state file, which a running provisioner owns.
const FILE = "doctor.json";

export async function rentCommand(
  call: CommandCall,
  settings: ProvisionerSettings,
  client: VastClient,
  { maxDollars, bans }: { maxDollars: number; bans: readonly Ban[] },
): Promise<Finding[]> {
  const { desired, secrets, limits } = settings;
  const label = trialLabel(desired.label);
  const path = join(dirname(settings.statePath), FILE);
  const file = createStateFile(path, clock.now);
  // The result goes to stdout: JSON must stay alone there.
  const print = (text: string) => call.terminal.err(`${scrub(text, secrets.all())}\n`);
  const stop = stopSignal(() => print("Breaking off: what was rented is destroyed first."));
  try {
    const template = await client.findTemplate(desired.templateName);
    if (template === null)
      throw new Error(`the account has no template named ${JSON.stringify(desired.templateName)}: create it first`);
    return await rentOnce(
      {
        client,
        clock,
        log: createLogger({
          app: "vast-provisioner",
          debug: settings.debug,
          quiet: true,
          secrets: secrets.all,
          destination: await logDestination(settings.logFormat, 2),
        }),
        desired: { ...desired, label },
        imageLogin: () => secrets.registryLogin()?.text ?? null,
        query: settings.query,
        needs: requirements(template, limits.maxDollarsPerHour, bans, limits.bidding?.bid),
        template,
        waitMs: limits.banAfterMs,
        maxDollars,
        probe: createProbe(clock, {
          healthPath: settings.healthPath,
          healthExpect: settings.healthExpect,
          scheme: desired.upstreamScheme,
          authHeader: secrets.upstreamAuth,
          onRefused: secrets.reload,
        }),
        allowLocal: settings.allowLocal,
        load: async () => (await file.load(label)).state,
        save: file.save,
        forget: () => rm(path, { force: true }),
        confirm: async (question) => call.options.yes === true || confirmOnTerminal(question, "doctor --rent"),
        print,
      },
      stop.signal,
    );
  } catch (error) {
    return [fail("rent", `nothing was rented: ${messageOf(error)}`, "run it again")];
  } finally {
    stop.end();
  }
}

/** Aborted by Ctrl-C or SIGTERM. Another one has no effect: the instance would stay rented. */
function stopSignal(onStop: () => void): { signal: AbortSignal; end(): void } {
  const stop = new AbortController();
  const abort = () => {
    onStop();
    stop.abort(new Error("broken off"));
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, abort);
  return {
    signal: stop.signal,
    end: () => {
      for (const signal of ["SIGTERM", "SIGINT"] as const) process.off(signal, abort);
    },
  };
}
