// The address of a Redis as the settings give it, for tests that connect to it without the program.
import { type RedisAddress, redisAddresses } from "../../provisioner/redis/address.ts";
import { parseRedisUrl } from "../../provisioner/redis/url.ts";

export function addressOf(url: string): RedisAddress {
  const parsed = parseRedisUrl(url);
  const address = "target" in parsed ? redisAddresses(null, parsed.target).bans : null;
  if (address === null) throw new Error(`not the URL of a Redis: ${url}`);
  return address;
}
