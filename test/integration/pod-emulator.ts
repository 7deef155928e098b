// The emulator of a test: in the process of the test, because a process for each one would take a third of a second of CPU time to start.
// Opens TCP ports, or starts a process of the sandbox.
import { inspect } from "node:util";
import { type EmulatorFlags, serveEmulator } from "../emulator/servers/serve.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import { until } from "../sandbox/until.ts";
import { createEmulatorControl, type EmulatorControl } from "./emulator-control.ts";

export interface PodEmulator {
  readonly control: EmulatorControl;
  /** To be called when no program uses it any more. */
  close(): Promise<void>;
}

/** `apart`: as a process of its own, where what is measured must not wait for the test. */
export async function startPodEmulator(sandbox: Sandbox, flags: EmulatorFlags, apart: boolean): Promise<PodEmulator> {
  const control = createEmulatorControl(`http://${flags.host}:${flags.port}`);
  if (!apart) {
    const onError = (error: unknown) => process.stderr.write(`the emulator failed: ${inspect(error)}\n`);
    const { close } = await serveEmulator(flags, onError);
    return { control, close };
  }
  const args = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const program = await sandbox.node("emulator", ["dist/emulator.mjs", ...args]);
  await until("the emulator answers", () => control.state(), { context: () => program.lines.join("\n") });
  return { control, close: async () => void (await program.stop()) };
}
