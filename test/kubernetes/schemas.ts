// Checks manifests against Kubernetes' schemas from an npm package. Touches a temporary folder and a process.
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { ROOT } from "../sandbox/sandbox.ts";
import type { Manifest } from "./kustomize.ts";
import * as models from "./models.ts";

type Model = new (data: never) => { validate(): void };

const modelOf = ({ apiVersion, kind }: Manifest): Model | undefined =>
  (models.MODELS as Readonly<Record<string, Model>>)[`${apiVersion} ${kind}`];

/** What is wrong with a manifest according to the schema of its kind. */
export function problemsOf(manifest: Manifest): string[] {
  const model = modelOf(manifest);
  if (model === undefined) return [`no schema for ${manifest.apiVersion} ${manifest.kind}: add it to models.ts`];
  try {
    new model(manifest as never).validate();
    return [];
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}

const run = promisify(execFile);

/** The schemas accept unknown fields; the types of the same package reject them in an object literal. */
export async function unknownFieldsOf(manifests: readonly Manifest[]): Promise<string[]> {
  const folder = await mkdtemp(join(ROOT, "test/kubernetes/.types-"));
  try {
    const distinct = [...new Set(manifests.map((one) => JSON.stringify(one)))];
    const lines = distinct.map((json, i) => {
      const { apiVersion, kind, ...data } = JSON.parse(json) as Manifest;
      return `export const object${i}: Data<"${apiVersion} ${kind}"> = ${JSON.stringify(data)};`;
    });
    const head = [
      'import type { MODELS } from "../models.ts";',
      "type Data<K extends keyof typeof MODELS> = NonNullable<ConstructorParameters<(typeof MODELS)[K]>[0]>;",
    ];
    await writeFile(join(folder, "manifests.ts"), [...head, ...lines, ""].join("\n"));
    const config = { extends: "../../../tsconfig.json", include: ["manifests.ts"] };
    await writeFile(join(folder, "tsconfig.json"), JSON.stringify(config));
    await run(process.execPath, [join(ROOT, "node_modules/typescript/bin/tsc"), "--noEmit", "--project", folder]);
    return [];
  } catch (error) {
    if (error instanceof Error && "stdout" in error) return String(error.stdout).trim().split("\n");
    throw error;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
