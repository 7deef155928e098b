// The names of the Redis keys with which pods pace their calls. Pure.
//
// The limits of the API count per key and address, so the names hold both and not the account: they are needed to ask for the account. The
// API counts searches per address alone. All keys that a script uses have one hash tag, so that a Redis Cluster keeps them in one slot.
import { shortHash } from "./keys.ts";

/** `egress`: the group of pods that call the API from one address. */
export function gateKeys(endpoint: string, apiKey: string, egress: string) {
  const tag = endpoint === "search" ? `{ip:${egress}}` : `{key:${shortHash(apiKey)}:${egress}}`;
  const name = (what: string) => `vast-pod:${tag}:${what}:${endpoint}`;
  return {
    /** When the next call may leave. */
    gate: name("gate"),
    /** Sorted set of the labels that wait, in their order. */
    queue: name("queue"),
    /** Sorted set of those labels by the time at which they last asked. */
    beats: name("beats"),
  };
}

/** Of all pods with this API key, whatever their address. */
export function podKeys(apiKey: string) {
  const tag = `{key:${shortHash(apiKey)}}`;
  return {
    /** Sorted set of labels by the time at which their pod was last seen. */
    pods: `vast-pod:${tag}:pods`,
    /** Sorted set of the labels that are being replaced, by the time until which that counts. */
    down: `vast-pod:${tag}:down`,
    /** The same of those that are updated, whether they serve meanwhile or not. */
    updating: `vast-pod:${tag}:updating`,
  };
}
