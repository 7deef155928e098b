// `vast-provisioner plan`: what `run` would do now, without doing it. Wires settings, account, bans and files; touches the terminal.
import { systemClock as clock } from "../../common/clock.ts";
import { type CommandCall, EXIT, type ExitCode } from "../../common/command.ts";
import { systemDisk as disk } from "../../common/disk.ts";
import { logDestination } from "../../common/log-destination.ts";
import { createLogger, scrub } from "../../common/logging.ts";
import type { SettingsSource } from "../../common/settings.ts";
import { createBanStore, noBans } from "../blacklist/store.ts";
import { fleetKeys } from "../fleet/keys.ts";
import { createProbe } from "../observe/probe.ts";
import { openAll, openRedisForCommand } from "../redis/open.ts";
import type { PlanDocument } from "../report/plan-document.ts";
import { planNames, planScreen } from "../screens/plan-screen.ts";
import { readPlanSettings } from "../settings.ts";
import { readTemplateFile } from "../template/file.ts";
import { connectAccount } from "./connect.ts";
import { connectRecords } from "./fleet-records.ts";
import { type PlanParts, readPlan } from "./read-plan.ts";

export async function planCommand(call: CommandCall, source: SettingsSource): Promise<ExitCode> {
  const document = await makePlan(source);
  const { terminal, output } = call;
  if (output === "json") terminal.out(`${JSON.stringify(document)}\n`);
  else if (output === "name") terminal.out(planNames(document));
  else terminal.out(planScreen(document, terminal.paint, output === "wide" ? null : terminal.width()));
  if (!document.known) return EXIT.failed;
  return document.wouldAct && call.options["exit-code"] === true ? EXIT.differs : EXIT.done;
}

async function makePlan(source: SettingsSource): Promise<PlanDocument> {
  const settings = readPlanSettings(source);
  const { env, readFile } = source;
  const { templatePath: path } = settings;
  const wantedTemplate = path === undefined ? null : await readTemplateFile({ path, env, readFile });
  const {
    secrets,
    vastUrl,
    healthPath,
    healthExpect,
    desired,
    redis: addresses,
    banTimes,
    logFormat,
    debug,
  } = settings;
  const allSecrets = () => [...secrets.all(), ...(wantedTemplate?.secrets ?? [])];
  const log = createLogger({
    app: "vast-provisioner",
    debug,
    quiet: true,
    secrets: allSecrets,
    destination: await logDestination(logFormat, 2),
  });
  const { client } = connectAccount({
    baseUrl: vastUrl,
    apiKey: secrets.apiKey,
    secrets: allSecrets,
    clock,
    random: Math.random,
    client: { clean: (text) => scrub(text, allSecrets()) },
  });
  const probe = createProbe(clock, {
    healthPath,
    healthExpect,
    scheme: desired.upstreamScheme,
    authHeader: secrets.upstreamAuth,
    onRefused: secrets.reload,
  });
  // Only the order by expected cost needs what the pods share.
  const needed = { bans: addresses.bans, fleet: settings.query.byExpectedCost ? addresses.fleet : null };
  const redis = await openAll(needed, (address) => openRedisForCommand(address, log, clock));
  try {
    const bans = redis.bans === null ? noBans : createBanStore(redis.bans, clock, banTimes);
    const recordsOf: PlanParts["recordsOf"] = (offers, state) => {
      const accountId = client.accountId() ?? state.accountId;
      const keys = accountId === null ? null : fleetKeys(accountId);
      return connectRecords(redis.fleet && { redis: redis.fleet, keys: () => keys, token: "" }).of(offers, state);
    };
    return await readPlan({ settings, wantedTemplate, client, bans, recordsOf, probe, clock, disk });
  } finally {
    redis.close();
  }
}
