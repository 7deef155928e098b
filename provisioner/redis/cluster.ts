// Commands that a Redis Cluster does not carry out for all of its nodes at once. Touches Redis.
import type { Cluster, Redis } from "ioredis";

/**
 * One step of a SCAN over all primaries, one after the other. The cursor names the node, so that the walk goes on where it was when
 * another node joins or leaves; "0" begins and ends it.
 */
export async function scanPrimaries(
  cluster: Cluster,
  cursor: string,
  pattern: string,
  count: number,
): Promise<[string, string[]]> {
  const [at = "", position = "0"] = cursor === "0" ? [] : cursor.split("/");
  const primaries = cluster.nodes("master").sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
  const [node, following] = primaries.filter((one) => nameOf(one) >= at);
  if (node === undefined) return ["0", []];
  const [next, keys] = await node.scan(nameOf(node) === at ? position : "0", "MATCH", pattern, "COUNT", count);
  if (next !== "0") return [`${nameOf(node)}/${next}`, keys];
  return [following === undefined ? "0" : `${nameOf(following)}/0`, keys];
}

const nameOf = ({ options: { host, port } }: Redis) => `${host}:${port}`;

/** MGET refuses keys of different slots. */
export function mgetAcrossSlots(cluster: Cluster, keys: readonly string[]): Promise<(string | null)[]> {
  return Promise.all(keys.map((key) => cluster.get(key)));
}
