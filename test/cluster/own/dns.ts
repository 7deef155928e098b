// The DNS server of our own cluster: answers for Services by asking the API server, and knows no other names. Touches one UDP socket.
import { createSocket } from "node:dgram";
import { DOMAIN, NODE_IP } from "./addresses.ts";

/** The addresses of a Service, or null if it does not exist. */
export type Lookup = (service: string, namespace: string) => Promise<string[] | null>;

const TYPE_A = 1;
const NAME_ERROR = 3;
const SERVER_FAILURE = 2;
// As long as CoreDNS keeps them in a cluster.
const TTL_SECONDS = 5;

export async function startDns(lookup: Lookup): Promise<() => Promise<void>> {
  const socket = createSocket("udp4");
  let isClosed = false;
  socket.on("message", async (query, from) => {
    const reply = await answerQuery(query, lookup).catch((error: unknown) => {
      console.error(`DNS: ${error}`);
      return replyTo(query, SERVER_FAILURE, []);
    });
    if (!isClosed) socket.send(reply, from.port, from.address);
  });
  await new Promise<void>((resolve, reject) => {
    socket.once("error", reject);
    socket.bind(53, NODE_IP, resolve);
  });
  return () => {
    isClosed = true;
    return new Promise((resolve) => socket.close(() => resolve()));
  };
}

/** The reply to one query: addresses for a Service, an empty answer for other types than A, and a name error for all other names. */
export async function answerQuery(query: Buffer, lookup: Lookup): Promise<Buffer> {
  const { labels, type } = questionOf(query);
  const [service = "", namespace = "", ...zone] = labels;
  if (zone.join(".") !== `svc.${DOMAIN}`) return replyTo(query, NAME_ERROR, []);
  const addresses = await lookup(service, namespace);
  if (addresses === null) return replyTo(query, NAME_ERROR, []);
  return replyTo(query, 0, type === TYPE_A ? addresses : []);
}

/** The first question (RFC 1035, 4.1.2); the header has 12 bytes. */
function questionOf(query: Buffer): { labels: string[]; type: number; end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query.readUInt8(at); length > 0; length = query.readUInt8(at)) {
    labels.push(query.toString("latin1", at + 1, at + 1 + length).toLowerCase());
    at += 1 + length;
  }
  return { labels, type: query.readUInt16BE(at + 1), end: at + 5 };
}

function replyTo(query: Buffer, code: number, addresses: readonly string[]): Buffer {
  const header = Buffer.alloc(12);
  header.writeUInt16BE(query.readUInt16BE(0), 0);
  // An authoritative answer that offers recursion, since resolvers expect it.
  header.writeUInt16BE(0x8580 | (query.readUInt16BE(2) & 0x0100) | code, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(addresses.length, 6);
  const records = addresses.map((address) => {
    // 0xc00c points to the name in the question.
    const record = Buffer.from([0xc0, 0x0c, 0, TYPE_A, 0, 1, 0, 0, 0, TTL_SECONDS, 0, 4, 0, 0, 0, 0]);
    for (const [i, part] of address.split(".").entries()) record.writeUInt8(Number(part), 12 + i);
    return record;
  });
  return Buffer.concat([header, query.subarray(12, questionOf(query).end), ...records]);
}
