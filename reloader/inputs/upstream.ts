// Reads the upstream file and decides which server nginx is to serve. Reads that file.
import { codeOf } from "../../common/errors.ts";
import type { SmallFile } from "../../common/small-file.ts";
import { parseUpstreamFile, type Server, type UpstreamFile } from "../../common/upstream-file.ts";

/** What was on the disk. */
export type UpstreamRead =
  | { kind: "file"; file: UpstreamFile; writtenAt: number }
  | { kind: "missing" }
  | { kind: "refused"; problem: string };

/** Never throws: `problem` is a sentence that names the file and the remedy. */
export async function readUpstream(
  path: string,
  readFile: (path: string) => Promise<SmallFile>,
): Promise<UpstreamRead> {
  let found: SmallFile;
  try {
    found = await readFile(path);
  } catch (error) {
    const code = codeOf(error) ?? String(error);
    if (code === "ENOENT" || code === "ENOTDIR") return { kind: "missing" };
    const remedy =
      code === "EACCES"
        ? "give the reloader's user read access to it and its folder"
        : "put a readable file in its place";
    return { kind: "refused", problem: `${path} cannot be read (${code}): ${remedy}` };
  }
  const parsed = parseUpstreamFile(found.text);
  if (parsed.ok) return { kind: "file", file: parsed.file, writtenAt: found.writtenAt };
  const remedy =
    "the provisioner writes it again at its next pass; any other program that writes it must rename it into place";
  return { kind: "refused", problem: `${path} cannot be used: ${parsed.problem} (${remedy})` };
}

/** What nginx is to serve. */
export interface DesiredUpstream {
  /** 0 until an upstream file was read. */
  generation: number;
  server: Server | null;
  /** False: nginx serves `server`, and the pod is not ready. */
  ready: boolean;
  /** The body of the 503 answers while there is no server. */
  page: StatePage;
}

/** The state that clients see: the body of the 503 answers. */
export interface StatePage {
  pod: string | null;
  state: string;
  reason: string;
  message: string;
  updatedAt: string | null;
}

export interface UpstreamDecision {
  desired: DesiredUpstream;
  /** Why `desired` is not what the file says; null when it is. */
  problem: string | null;
}

/**
 * `before` is the last decision, or the server of an earlier run's config. A file that is missing or cannot be used changes nothing,
 * so that nothing is unpublished by mistake. Only at a first start does a missing file mean "no server".
 */
export function decideUpstream(read: UpstreamRead, before: DesiredUpstream | null): UpstreamDecision {
  switch (read.kind) {
    case "file": {
      const { generation, server, ready = true, pod, state, reason, message, updatedAt } = read.file;
      return {
        desired: { generation, server, ready, page: { pod, state, reason, message, updatedAt } },
        problem: null,
      };
    }
    case "missing": {
      if (before === null)
        return { desired: noServer("no_upstream_file", "no instance has been provisioned yet"), problem: null };
      // With generation 0 this run has not read a file yet, so none has disappeared.
      const problem =
        "the upstream file is gone: nginx keeps its last good config until the provisioner writes the file again";
      return { desired: before, problem: before.generation === 0 && before.server === null ? null : problem };
    }
    case "refused":
      return {
        desired: before ?? noServer("upstream_file_refused", "the upstream file cannot be used"),
        problem: `${read.problem}; nginx keeps its last good config`,
      };
  }
}

/** What is desired when only the config of an earlier run is known. */
export function upstreamOfGood(server: Server | null, ready = true): DesiredUpstream {
  return { ...noServer("no_upstream_file", "no instance has been provisioned yet"), server, ready };
}

function noServer(reason: string, message: string): DesiredUpstream {
  return {
    generation: 0,
    server: null,
    ready: true,
    page: { pod: null, state: "provisioning", reason, message, updatedAt: null },
  };
}
