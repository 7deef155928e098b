// Runs once before all container tests: starts an engine, provides the base images and builds ours. Stops afterwards what it
// started.
import type { TestProject } from "vitest/node";
import { ROOT } from "../sandbox/sandbox.ts";
import { haveBaseImages } from "./base-images.ts";
import { openEngine } from "./engine.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Environment in which `docker` and `docker-compose` reach the engine. */
    engine: Readonly<Record<string, string>>;
  }
}

export const TARGETS = ["provisioner", "reloader", "emulator"] as const;
export const imageOf = (target: string) => `registry.invalid/vast-pod/${target}:local`;

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const engine = await openEngine();
  try {
    const standIns = await haveBaseImages(engine);
    if (standIns.length > 0) console.log(`No registry: stand-ins from Debian's packages for ${standIns.join(", ")}`);
    for (const target of TARGETS) {
      await engine.docker(
        "build",
        "--quiet",
        // An engine that the tests started has no network to download npm packages with.
        ...["--network", "host"],
        "-f",
        `${ROOT}/deploy/Dockerfile`,
        "--target",
        target,
        "-t",
        imageOf(target),
        ROOT,
      );
    }
  } catch (error) {
    await engine.close();
    throw error;
  }
  project.provide("engine", engine.env);
  return () => engine.close();
}
