// Reads the upstream file and decides which server is wanted. Touches that file, reading.
import { parseUpstreamFile, type Server, type UpstreamFile } from "../../common/upstream-file.ts";
import type { SmallFile } from "./small-file.ts";

/** What stood on the disk. */
export type UpstreamRead =
  | { kind: "file"; file: UpstreamFile; writtenAt: number }
  | { kind: "missing" }
  | { kind: "refused"; problem: string };

/** Reads it. Never throws: a problem is a sentence that names the file and the remedy. */
export async function readUpstream(
  path: string,
  readFile: (path: string) => Promise<SmallFile>,
): Promise<UpstreamRead> {
  let found: SmallFile;
  try {
    found = await readFile(path);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
    if (code === "ENOENT" || code === "ENOTDIR") return { kind: "missing" };
    const remedy =
      code === "EACCES"
        ? "give the reloader's user read access to it and its folder"
        : "put a readable file in its place";
    return { kind: "refused", problem: `${path} cannot be read (${code}): ${remedy}` };
  }
  const parsed = parseUpstreamFile(found.text);
  if (parsed.ok) return { kind: "file", file: parsed.file, writtenAt: found.writtenAt };
  const remedy = "the provisioner writes it anew at its next pass; whoever else writes it must rename it into place";
  return { kind: "refused", problem: `${path} cannot be used: ${parsed.problem} (${remedy})` };
}

/** What nginx is to serve. */
export interface DesiredUpstream {
  /** 0 when no upstream file was read yet. */
  generation: number;
  server: Server | null;
  /** The body of the answers while there is no server. */
  page: StatePage;
}

/** The state as clients see it. */
export interface StatePage {
  pod: string | null;
  state: string;
  reason: string;
  message: string;
  updatedAt: string | null;
}

export interface UpstreamDecision {
  desired: DesiredUpstream;
  /** Why `wanted` is not what the file says. */
  problem: string | null;
}

/**
 * Decides what is wanted. `before` is the last decision, or what an earlier run had proven good. A file that is gone
 * or cannot be used changes nothing: silence never unpublishes. Only a fresh start without any file means "no server".
 */
export function decideUpstream(read: UpstreamRead, before: DesiredUpstream | null): UpstreamDecision {
  switch (read.kind) {
    case "file": {
      const { generation, server, pod, state, reason, message, updatedAt } = read.file;
      return { desired: { generation, server, page: { pod, state, reason, message, updatedAt } }, problem: null };
    }
    case "missing": {
      if (before === null)
        return { desired: noServer("no_upstream_file", "nothing was provisioned yet"), problem: null };
      // A generation of 0 means that there has not been a file in this run: nothing disappeared.
      const problem =
        "the upstream file is gone: nginx keeps its last good config until the provisioner writes it anew";
      return { desired: before, problem: before.generation === 0 && before.server === null ? null : problem };
    }
    case "refused":
      return {
        desired: before ?? noServer("upstream_file_refused", "the upstream file cannot be used"),
        problem: `${read.problem}; nginx keeps its last good config`,
      };
  }
}

/** What is wanted when an earlier run left a good config and nothing else is known. */
export function upstreamOfGood(server: Server | null): DesiredUpstream {
  return { ...noServer("no_upstream_file", "nothing was provisioned yet"), server };
}

function noServer(reason: string, message: string): DesiredUpstream {
  return {
    generation: 0,
    server: null,
    page: { pod: null, state: "provisioning", reason, message, updatedAt: null },
  };
}
