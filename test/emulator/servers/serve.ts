// The emulator behind a TCP port, by its flags. Opens TCP ports.
import { randomInt } from "node:crypto";
import { z } from "zod";
import { systemClock } from "../../../common/clock.ts";
import { createEmulator, PORT_RANGE } from "../emulator.ts";
import { type ApiServer, startApiServer } from "./api-server.ts";
import { scaledClock } from "./scaled-clock.ts";

/** The flags of the program, see its help. Times in emulated seconds. */
export const flagsSchema = z.object({
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
export type EmulatorFlags = z.infer<typeof flagsSchema>;

export const DEFAULT_FLAGS: EmulatorFlags = {
  port: 8090,
  host: "127.0.0.1",
  advertise: "127.0.0.1",
  timeScale: 1,
  seed: 1,
  rateLimits: "off",
  destroyLagSeconds: 0,
  visibilityLagSeconds: 0,
  machines: 3000,
};

/** Serves an emulator in this process until it is closed. `onError` gets unexpected errors. Throws when the port is taken. */
export function serveEmulator(flags: EmulatorFlags, onError: (error: unknown) => void): Promise<ApiServer> {
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
  return startApiServer({ emulator, clock, host: flags.host, port: flags.port, onError });
}
