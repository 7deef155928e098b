// Renders manifests as `kubectl apply -k` does. Touches the disk and a process.
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { parseAllDocuments } from "yaml";
import { findProgram } from "../sandbox/programs.ts";
import { ROOT } from "../sandbox/sandbox.ts";

export const MANIFESTS = join(ROOT, "deploy/kubernetes");

/** A parsed manifest; schemas and policies check its parts. */
export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string; labels?: Record<string, string> };
  [field: string]: unknown;
}

const run = promisify(execFile);
const LARGEST_OUTPUT_BYTES = 16 * 1024 * 1024;

export async function render(folder: string): Promise<Manifest[]> {
  const kubectl = findProgram("kubectl", process.env);
  const { stdout } = await run(kubectl, ["kustomize", folder], { maxBuffer: LARGEST_OUTPUT_BYTES });
  return parseAllDocuments(stdout).map((document) => {
    if (document.errors.length > 0) throw document.errors[0];
    return document.toJS() as Manifest;
  });
}
