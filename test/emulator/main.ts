// `node dist/emulator.mjs --port 8090`: serves the emulator of the Vast.ai API over HTTP. Flags, control routes and events are
// described in README.md beside this file. Reads flags, opens TCP ports, writes one line to stdout.
import yargs from "yargs";
import { hideBin } from "yargs/helpers";
import { z } from "zod";
import { DEFAULT_FLAGS, flagsSchema, serveEmulator } from "./servers/serve.ts";

const parser = yargs(hideBin(process.argv))
  .scriptName("emulator")
  .strict()
  .fail((message) => {
    process.stderr.write(`${message}\n`);
    process.exit(2);
  })
  .options({
    port: { type: "number", default: DEFAULT_FLAGS.port, describe: "port of the API; 0 takes a free one" },
    host: { type: "string", default: DEFAULT_FLAGS.host, describe: "address of the API" },
    advertise: { type: "string", default: DEFAULT_FLAGS.advertise, describe: "address given to instances" },
    "time-scale": { type: "number", default: DEFAULT_FLAGS.timeScale, describe: "emulated seconds in one real second" },
    seed: { type: "number", default: DEFAULT_FLAGS.seed, describe: "of the market and of everything left to chance" },
    "boot-seconds": { type: "number", describe: "fixed time from create to running, instead of a modelled pull" },
    "rate-limits": {
      type: "string",
      default: DEFAULT_FLAGS.rateLimits,
      describe: "on, off, or scaled with the emulated clock",
    },
    "destroy-lag-seconds": {
      type: "number",
      default: DEFAULT_FLAGS.destroyLagSeconds,
      describe: "how long a destroyed row is still listed",
    },
    "visibility-lag-seconds": {
      type: "number",
      default: DEFAULT_FLAGS.visibilityLagSeconds,
      describe: "how long a created row is not yet listed",
    },
    machines: { type: "number", default: DEFAULT_FLAGS.machines, describe: "seeded machines on the market" },
  });

async function main(): Promise<void> {
  const parsed = flagsSchema.safeParse(await parser.parse());
  if (!parsed.success) {
    process.stderr.write(`${z.prettifyError(parsed.error)}\n`);
    process.exitCode = 2;
    return;
  }
  const flags = parsed.data;
  const onError = (error: unknown) => process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  const server = await serveEmulator(flags, onError);
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
