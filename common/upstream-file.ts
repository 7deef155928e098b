// The contract between the two containers: what the provisioner writes and the reloader reads. Pure.
import { isIP } from "node:net";
import * as z from "zod";
import { parseJson } from "./parse-json.ts";

/** Highest schema number that this version understands. */
export const UPSTREAM_SCHEMA = 1;

// A DNS name as in RFC 1123: labels of letters, digits and inner hyphens, 253 characters at most. Anything else
// (spaces, braces, semicolons, `$`) would be able to become an nginx directive, so it never gets past this line.
const DNS_NAME =
  /^(?=.{1,253}$)[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$/;

/** True for an IPv4 address, an IPv6 address without brackets and zone, or a DNS name. */
export function isHost(text: string): boolean {
  if (isIP(text) !== 0) return !text.includes("%");
  if (/^[0-9.]+$/.test(text)) return false; // looks like an address, is none: 999.1.1.1
  return DNS_NAME.test(text);
}

/** Where nginx sends requests, as the file has it. */
export const serverSchema = z.object({
  scheme: z.enum(["http", "https"]),
  host: z.string().refine(isHost, { error: "must be an IP address or a DNS name" }),
  port: z.int().min(1).max(65535),
});

const instanceSchema = z.object({
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
  instance: instanceSchema.nullable(),
  updatedAt: z.iso.datetime(),
});

const versioned = z.object({ schema: z.number() });

export type Server = z.infer<typeof serverSchema>;
/** The whole file. `server` not null means ready, whatever `state` says. `updatedAt` is ISO 8601. */
export type UpstreamFile = z.infer<typeof upstreamSchema>;
export type PublishedInstance = z.infer<typeof instanceSchema>;
export type UpstreamState = UpstreamFile["state"];

export type ParsedUpstream = { ok: true; file: UpstreamFile } | { ok: false; problem: string };

/** Reads the file's text. Unknown fields are ignored; the problem of a refused text names the field and the remedy. */
export function parseUpstreamFile(text: string): ParsedUpstream {
  const read = parseJson(text, upstreamSchema);
  if ("value" in read) return { ok: true, file: read.value };
  const version = parseJson(text, versioned);
  if ("why" in version || version.value.schema <= UPSTREAM_SCHEMA) return { ok: false, problem: read.why };
  const newer = `schema ${version.value.schema} is newer than ${UPSTREAM_SCHEMA}`;
  return { ok: false, problem: `${newer}: run provisioner and reloader of the same version` };
}

/** The file's text: one JSON object and a line end. */
export function formatUpstreamFile(file: UpstreamFile): string {
  return `${JSON.stringify(file)}\n`;
}

export function sameServer(a: Server | null, b: Server | null): boolean {
  if (a === null || b === null) return a === b;
  return a.scheme === b.scheme && a.host === b.host && a.port === b.port;
}
