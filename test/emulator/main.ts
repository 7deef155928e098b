// `node dist/emulator.mjs --port 8090`: serves the emulator of the Vast.ai API over HTTP. Flags, control routes and events are
// described in README.md beside this file. Reads flags, opens TCP ports, writes one line to stdout.
import { randomInt } from "node:crypto";
import yargs from "yargs";
import { hideBin } from "yargs/helpers";
import { z } from "zod";
import { systemClock } from "../../common/clock.ts";
import { createEmulator, PORT_RANGE } from "./emulator.ts";
import { startApiServer } from "./servers/api-server.ts";
import { scaledClock } from "./servers/scaled-clock.ts";

const flagsSchema = z.object({
  port: z.int().min(0).max(65_535),
  host: z.string().min(1),
  advertise: z.string().min(1),
  timeScale: z.number().positive(),
  seed: z.int(),
  bootSeconds: z.number().min(0).optional(),
  rateLimits: z.enum(["on", "off", "scaled"]),
  destroyLagSeconds: z.number().min(0),
  visibilityLagSeconds: z.number().min(0),
  machines: z.int().min(0).max(100_000),
});

const parser = yargs(hideBin(process.argv))
  .scriptName("emulator")
  .strict()
  .fail((message) => {
    process.stderr.write(`${message}\n`);
    process.exit(2);
  })
  .options({
    port: { type: "number", default: 8090, describe: "port of the API; 0 takes a free one" },
    host: { type: "string", default: "127.0.0.1", describe: "address of the API" },
    advertise: { type: "string", default: "127.0.0.1", describe: "address given to instances" },
    "time-scale": { type: "number", default: 1, describe: "emulated seconds in one real second" },
    seed: { type: "number", default: 1, describe: "of the market and of everything left to chance" },
    "boot-seconds": { type: "number", describe: "fixed time from create to running, instead of a modelled pull" },
    "rate-limits": { type: "string", default: "off", describe: "on, off, or scaled with the emulated clock" },
    "destroy-lag-seconds": { type: "number", default: 0, describe: "how long a destroyed row is still listed" },
    "visibility-lag-seconds": { type: "number", default: 0, describe: "how long a created row is not yet listed" },
    machines: { type: "number", default: 3000, describe: "seeded machines on the market" },
  });

async function main(): Promise<void> {
  const parsed = flagsSchema.safeParse(await parser.parse());
  if (!parsed.success) {
    process.stderr.write(`${z.prettifyError(parsed.error)}\n`);
    process.exitCode = 2;
    return;
  }
  const flags = parsed.data;
  const clock = scaledClock(systemClock, flags.timeScale);
  const emulator = createEmulator({
    clock,
    seed: flags.seed,
    timeScale: flags.timeScale,
    machines: flags.machines,
    // Several emulators run beside each other, often with the same seed: their ports must differ.
    takePort: () => randomInt(PORT_RANGE.low, PORT_RANGE.high),
    settings: {
      advertise: flags.advertise,
      bootSeconds: flags.bootSeconds ?? null,
      rateLimits: flags.rateLimits,
      destroyLagSeconds: flags.destroyLagSeconds,
      visibilityLagSeconds: flags.visibilityLagSeconds,
    },
  });
  const onError = (error: unknown) => process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  const server = await startApiServer({ emulator, clock, host: flags.host, port: flags.port, onError });
  const stop = () => {
    server.close().then(
      () => process.exit(0),
      (error: unknown) => {
        onError(error);
        process.exit(1);
      },
    );
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  const host = flags.host.includes(":") ? `[${flags.host}]` : flags.host;
  const line = { msg: "listening", url: `http://${host}:${server.port}`, pid: process.pid, seed: flags.seed };
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
