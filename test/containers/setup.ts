// Runs once before all container tests: opens the engine and stops afterwards what it started.
import type { TestProject } from "vitest/node";
import { machinesEngine, startEngine } from "./engine.ts";
import { buildImages } from "./images.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Environment in which `docker` and `docker-compose` reach the engine. */
    engine: Readonly<Record<string, string>>;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  // Set by own-engine.sh, which has built the images in this folder.
  const { ENGINE_FOLDER } = process.env;
  const engine = ENGINE_FOLDER === undefined ? await machinesEngine() : await startEngine(ENGINE_FOLDER, "runs");
  if (ENGINE_FOLDER === undefined) await buildImages(engine);
  project.provide("engine", engine.env);
  return () => engine.close();
}
