// The images under test. Touches the engine.
import { ROOT } from "../sandbox/sandbox.ts";
import { haveBaseImages } from "./base-images.ts";
import type { Engine } from "./engine.ts";

const TARGETS = ["provisioner", "reloader", "emulator"] as const;
export const imageOf = (target: string) => `registry.invalid/vast-pod/${target}:local`;

/** Provides the base images and builds ours. */
export async function buildImages(engine: Engine): Promise<void> {
  const standIns = await haveBaseImages(engine);
  if (standIns.length > 0) console.log(`No registry: stand-ins from Debian's packages for ${standIns.join(", ")}`);
  for (const target of TARGETS) {
    await engine.docker(
      // An engine that only builds has no network but the machine's to download npm packages with.
      ...["build", "--quiet", "--network", "host", "-f", `${ROOT}/deploy/Dockerfile`, "--target", target],
      ...["-t", imageOf(target), ROOT],
    );
  }
}
