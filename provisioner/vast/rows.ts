// Parses the API's rows (instances, offers, templates): tolerant of missing and odd fields, typed and trimmed. Pure.
import * as z from "zod";

// Any field may be missing, null or a number written as text. Only the id is required.
const text = z.string().catch("");
const numeric = z
  .union([
    z.number(),
    z
      .string()
      .regex(/^-?\d+(\.\d+)?$/)
      .transform(Number),
  ])
  .nullish()
  .catch(null)
  .transform((value) => value ?? null);
const id = z.union([z.int().positive(), z.string().regex(/^\d+$/).transform(Number)]);
const word = z
  .string()
  .nullish()
  .catch(null)
  .transform((value) => value?.trim().toLowerCase() || null);

const portEntry = z.object({ HostPort: z.union([z.string(), z.number()]).nullish() });
const ports = z
  .record(z.string(), z.union([z.array(portEntry), z.null()]).catch(null))
  .nullish()
  .catch(null);

const instanceRow = z.object({
  id,
  label: z.string().nullish().catch(null),
  host_id: numeric,
  machine_id: numeric,
  actual_status: word,
  intended_status: word,
  cur_state: word,
  next_state: word,
  status_msg: text,
  image_uuid: text,
  template_hash_id: z.string().nullish().catch(null),
  public_ipaddr: text,
  ports,
  direct_port_start: numeric,
  dph_total: numeric,
  dph_base: numeric,
  storage_total_cost: numeric,
  disk_space: numeric,
  gpu_name: text,
  num_gpus: numeric,
  start_date: numeric,
  end_date: numeric,
  is_bid: z.boolean().catch(false),
  min_bid: numeric,
});

/** A rented contract. Missing texts are "", missing numbers null. */
export interface Instance {
  id: number;
  label: string | null;
  hostId: number | null;
  machineId: number | null;
  /** The API's word in lower case; null while the contract is scheduled. */
  actualStatus: string | null;
  intendedStatus: string | null;
  curState: string | null;
  nextState: string | null;
  /** The message of the host's daemon: remote text of any length. */
  statusMessage: string;
  image: string;
  templateHash: string | null;
  address: string;
  /** Container port and protocol ("8000/tcp") to public port; null while the API shows none. */
  ports: Readonly<Record<string, number>> | null;
  directPortStart: number | null;
  dollarsPerHour: number | null;
  /** The part of it for the disk, which a stopped instance pays too. */
  diskDollarsPerHour: number | null;
  /** The part of it for the GPUs: of an interruptible instance, its bid. */
  gpuDollarsPerHour: number | null;
  /** Its disk in GB. It can only grow. */
  diskGb: number | null;
  gpuName: string;
  /** How many GPUs of that name. */
  gpus: number | null;
  /** Creation, epoch ms. */
  createdAt: number | null;
  /** When the contract ends: it is stopped then, and deleted later. Epoch ms. */
  endsAt: number | null;
  /** Rented with a bid: a higher bid of another user may stop it. */
  isBid: boolean;
  /** The smallest bid that wins its GPUs now, $/h. */
  minBid: number | null;
}

const labelled = z.looseObject({ label: z.string() });

/** The label of a row that cannot be read as an instance; null when it shows none. */
export function readLabel(row: unknown): string | null {
  return labelled.safeParse(row).data?.label ?? null;
}

/** Parses one row of an instance list; null when it has no id. */
export function readInstance(row: unknown): Instance | null {
  const parsed = instanceRow.safeParse(row);
  if (!parsed.success) return null;
  const r = parsed.data;
  return {
    id: r.id,
    label: r.label ?? null,
    hostId: r.host_id,
    machineId: r.machine_id,
    actualStatus: r.actual_status,
    intendedStatus: r.intended_status,
    curState: r.cur_state,
    nextState: r.next_state,
    statusMessage: r.status_msg.trim(),
    image: r.image_uuid.trim(),
    templateHash: r.template_hash_id?.trim() || null,
    address: r.public_ipaddr.trim(), // comes with a trailing line feed
    ports: r.ports ? readPorts(r.ports) : null,
    directPortStart: r.direct_port_start !== null && r.direct_port_start > 0 ? r.direct_port_start : null,
    dollarsPerHour: r.dph_total,
    diskDollarsPerHour: r.storage_total_cost ?? difference(r.dph_total, r.dph_base),
    gpuDollarsPerHour: r.dph_base ?? difference(r.dph_total, r.storage_total_cost),
    diskGb: r.disk_space !== null && r.disk_space > 0 ? r.disk_space : null, // -1: not known
    gpuName: r.gpu_name.trim(),
    gpus: r.num_gpus,
    createdAt: r.start_date === null ? null : r.start_date * 1000,
    endsAt: r.end_date === null ? null : r.end_date * 1000,
    isBid: r.is_bid,
    minBid: r.min_bid !== null && r.min_bid > 0 ? r.min_bid : null,
  };
}

function difference(total: number | null, part: number | null): number | null {
  return total === null || part === null ? null : Math.max(total - part, 0);
}

/** The first numeric public port of each container port. The entries for IPv4 and IPv6 have the same number. */
function readPorts(map: NonNullable<z.infer<typeof ports>>): Record<string, number> {
  const found: Record<string, number> = {};
  for (const [name, entries] of Object.entries(map)) {
    for (const entry of entries ?? []) {
      const number = Number(entry.HostPort);
      if (Number.isInteger(number) && number > 0 && number < 65536) {
        found[name] = number;
        break;
      }
    }
  }
  return found;
}

const offerRow = z.object({
  id,
  ask_contract_id: numeric,
  host_id: numeric,
  machine_id: numeric,
  dph_total: numeric,
  gpu_name: text,
  rentable: z.boolean().nullish().catch(null),
});

/** A rentable machine slot. */
export interface Offer {
  id: number;
  hostId: number | null;
  machineId: number | null;
  /** Including the storage that the search requested. */
  dollarsPerHour: number | null;
  gpuName: string;
  rentable: boolean;
  /** What is bid for it, $/h for the GPUs; absent: it is rented on demand, or cannot be bid for (search/bids.ts). */
  bid?: number;
  /** The unchanged row: filters are checked on it again. */
  fields: Readonly<Record<string, unknown>>;
}

export function readOffer(row: unknown): Offer | null {
  const parsed = offerRow.safeParse(row);
  if (!parsed.success) return null;
  const r = parsed.data;
  return {
    id: r.id,
    hostId: r.host_id,
    machineId: r.machine_id,
    dollarsPerHour: r.dph_total,
    gpuName: r.gpu_name.trim(),
    rentable: r.rentable ?? true,
    fields: z.looseObject({}).parse(row), // unchanged: a missing field must stay missing
  };
}

const templateRow = z.object({
  id,
  hash_id: z.string().min(1),
  name: z.string(),
  creator_id: numeric,
  recommended_disk_space: numeric,
  env: text,
});

export interface Template {
  id: number;
  /** Changes when the template's content changes. */
  hash: string;
  name: string;
  creatorId: number | null;
  /** GB, or null when the row has none. */
  diskSpace: number | null;
  /** Number of ports, TCP and UDP, that the template publishes. */
  publishedPorts: number;
  /** Their flags in one text, to be compared; absent in what version 0.1.0 has stored. */
  portFlags?: string | undefined;
}

export function readTemplate(row: unknown): Template | null {
  const parsed = templateRow.safeParse(row);
  if (!parsed.success) return null;
  const r = parsed.data;
  const ports = publishedPorts(r.env);
  return {
    id: r.id,
    hash: r.hash_id,
    name: r.name,
    creatorId: r.creator_id,
    diskSpace: r.recommended_disk_space,
    publishedPorts: ports.length,
    portFlags: ports.toSorted().join(" "),
  };
}

/** The schemas of the rows, for a comparison with what the API answers. */
export const ROW_FORMS = { instance: instanceRow, offer: offerRow, template: templateRow };

/** The different values of the `-p` flags in a template's docker options, like `8000:8000/udp`. Text in quotes is a value, not a flag. */
export function publishedPorts(env: string): string[] {
  const words = env.match(/"[^"]*"|'[^']*'|[^\s"']+|["']/g) ?? [];
  const flags = new Set(["-p", "--publish"]);
  const ports = words.filter((word, i) => flags.has(words[i - 1] ?? "") && /^[0-9:]+(\/(tcp|udp))?$/.test(word));
  return [...new Set(ports)];
}
