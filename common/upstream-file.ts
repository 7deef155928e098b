// The upstream file, the contract between the two containers: the provisioner writes it and the reloader reads it. Pure.
import { isIP } from "node:net";
import * as z from "zod";
import { parseJson } from "./parse-json.ts";

/** Highest schema number that this version understands. */
export const UPSTREAM_SCHEMA = 1;

// A DNS name as in RFC 1123: labels of letters, digits and inner hyphens, at most 253 characters. Any other character (space,
// brace, semicolon, `$`) could become part of an nginx directive, so it is refused here.
const DNS_NAME =
  /^(?=.{1,253}$)[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$/;

/** True for an IPv4 address, an IPv6 address without brackets and zone, or a DNS name. */
export function isHost(text: string): boolean {
  if (isIP(text) !== 0) return !text.includes("%");
  if (/^[0-9.]+$/.test(text)) return false; // not an address and not a name: 999.1.1.1
  return DNS_NAME.test(text);
}

/** Where nginx sends requests. */
export const serverSchema = z.object({
  scheme: z.enum(["http", "https"]),
  host: z.string().refine(isHost, { error: "must be an IP address or a DNS name" }),
  port: z.int().min(1).max(65535),
});

/** What is said of the instance behind the server. */
export const publishedInstanceSchema = z.object({
  id: z.int(),
  hostId: z.int().nullable(),
  machineId: z.int().nullable(),
  image: z.string(),
  templateHash: z.string().nullable(),
});

const upstreamSchema = z.object({
  schema: z.literal(UPSTREAM_SCHEMA),
  generation: z.int().min(1),
  pod: z.string().min(1),
  state: z.enum(["provisioning", "ready", "unavailable", "blocked"]),
  reason: z.string(),
  message: z.string(),
  server: serverSchema.nullable(),
  instance: publishedInstanceSchema.nullable(),
  /** False: nginx routes to the server, and tells Kubernetes that the pod is not ready. Left out otherwise. */
  ready: z.boolean().optional(),
  updatedAt: z.iso.datetime(),
});

const versioned = z.object({ schema: z.number() });

export type Server = z.infer<typeof serverSchema>;
/** The whole file. nginx serves `server` whenever it is not null, whatever `state` is. `updatedAt` is ISO 8601. */
export type UpstreamFile = z.infer<typeof upstreamSchema>;
export type PublishedInstance = z.infer<typeof publishedInstanceSchema>;
export type UpstreamState = UpstreamFile["state"];

export type ParsedUpstream = { ok: true; file: UpstreamFile } | { ok: false; problem: string };

/** Parses the file's text. Unknown fields are ignored; `problem` names the wrong field, or the remedy for a newer schema. */
export function parseUpstreamFile(text: string): ParsedUpstream {
  const read = parseJson(text, upstreamSchema);
  if ("value" in read) return { ok: true, file: read.value };
  const version = parseJson(text, versioned);
  if ("why" in version || version.value.schema <= UPSTREAM_SCHEMA) return { ok: false, problem: read.why };
  const newer = `schema ${version.value.schema} is newer than ${UPSTREAM_SCHEMA}`;
  return { ok: false, problem: `${newer}: run provisioner and reloader of the same version` };
}

/** The file's text: one JSON object and a line feed. */
export function formatUpstreamFile(file: UpstreamFile): string {
  return `${JSON.stringify(file)}\n`;
}

export function sameServer(a: Server | null, b: Server | null): boolean {
  if (a === null || b === null) return a === b;
  return a.scheme === b.scheme && a.host === b.host && a.port === b.port;
}
