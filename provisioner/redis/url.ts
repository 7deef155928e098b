// Reads the URL of a Redis server, of Sentinels or of a Cluster: the Redis client reads only the first kind. Pure.
import { isIPv6 } from "node:net";

interface HostAndPort {
  host: string;
  port: number;
}

export type RedisTarget = {
  tls: boolean;
  username: string | null;
  password: string | null;
} & (
  | { kind: "server"; server: HostAndPort; database: number }
  | {
      kind: "sentinel";
      sentinels: readonly HostAndPort[];
      /** The name by which the Sentinels know the primary. */
      primary: string;
      database: number;
      sentinelUsername: string | null;
      sentinelPassword: string | null;
    }
  | { kind: "cluster"; nodes: readonly HostAndPort[] }
);

/** What a setting with such a URL expects. */
export const REDIS_URL_EXPECTED =
  "a URL like redis://redis:6379/10, redis+sentinel://host1,host2/primary-name/10 or redis+cluster://host1,host2 (rediss for TLS), with special characters of user and password percent-encoded";

// No problem quotes the URL: a piece of a password may be anywhere in one that is wrong.
class UrlProblem extends Error {}

const PARTS = /^(rediss?)(?:\+(sentinel|cluster))?:\/\/(?:([^/?#]*)@)?([^/?#@]*)((?:\/[^?#]*)?)(?:\?([^#]*))?$/;
const REDIS_PORT = 6379;
const SENTINEL_PORT = 26_379;

/** The parsed URL, or what is wrong with it, in words that hold no part of it. */
export function parseRedisUrl(text: string): { target: RedisTarget } | { problem: string } {
  try {
    return { target: parse(text) };
  } catch (error) {
    if (error instanceof UrlProblem) return { problem: error.message };
    throw error;
  }
}

function parse(text: string): RedisTarget {
  const [, scheme, kind = "server", userInfo = "", hosts = "", path = "", query = ""] = PARTS.exec(text) ?? [];
  if (scheme === undefined)
    throw new UrlProblem(
      "it must begin with redis://, rediss://, redis+sentinel:// or redis+cluster://, and a / ? # or @ of a password must be percent-encoded",
    );
  const base = { tls: scheme === "rediss", ...credentials(userInfo) };
  const segments = path.split("/").slice(1);
  if (segments.at(-1) === "") segments.pop();
  switch (kind) {
    case "sentinel": {
      const parameters = parametersIn(query, ["sentinelUsername", "sentinelPassword"]);
      const [primary = "", database, ...more] = segments;
      if (primary === "" || more.length > 0)
        throw new UrlProblem(
          "after the hosts, a Sentinel URL needs the name of the primary, as in /mymaster or /mymaster/10",
        );
      return {
        kind,
        ...base,
        sentinels: hostList(hosts, SENTINEL_PORT),
        primary: decode(primary, "the name of the primary"),
        database: databaseNumber(database),
        sentinelUsername: parameters.get("sentinelUsername") || null,
        sentinelPassword: parameters.get("sentinelPassword") || null,
      };
    }
    case "cluster":
      parametersIn(query, []);
      if (segments.length > 1 || databaseNumber(segments[0]) !== 0)
        throw new UrlProblem("a Redis Cluster has database 0 only: leave out the number at the end");
      return { kind, ...base, nodes: hostList(hosts, REDIS_PORT) };
    default: {
      const inQuery = parametersIn(query, ["password"]).get("password") || null;
      if (segments.length > 1)
        throw new UrlProblem("after the host, only the number of the database may follow, as in /10");
      const [server, ...others] = hostList(hosts, REDIS_PORT);
      if (server === undefined || others.length > 0)
        throw new UrlProblem("several hosts need redis+sentinel:// or redis+cluster://");
      if (base.password !== null && inQuery !== null)
        throw new UrlProblem("it has two passwords: keep the one before the @ or the one behind the ?");
      const password = base.password ?? inQuery;
      return { kind: "server", ...base, password, server, database: databaseNumber(segments[0]) };
    }
  }
}

function credentials(userInfo: string): { username: string | null; password: string | null } {
  const [, username = "", password = ""] = /^([^:]*):?(.*)$/s.exec(userInfo) ?? [];
  return { username: decode(username, "the user") || null, password: decode(password, "the password") || null };
}

function hostList(text: string, defaultPort: number): HostAndPort[] {
  return text.split(",").map((one, i) => {
    const [, bracketed, name = "", port] = /^(?:\[([^\]]*)\]|([A-Za-z0-9._-]{1,253}))(?::(\d{1,5}))?$/.exec(one) ?? [];
    const host = bracketed ?? name;
    if (host === "" || (bracketed !== undefined && !isIPv6(bracketed)))
      throw new UrlProblem(
        `host ${i + 1} is not a host name, an IPv4 address or an IPv6 address in brackets, with or without a port`,
      );
    const number = port === undefined ? defaultPort : Number(port);
    if (number < 1 || number > 65_535)
      throw new UrlProblem(`the port of host ${i + 1} is not a number from 1 to 65535`);
    return { host, port: number };
  });
}

function databaseNumber(text = "0"): number {
  if (!/^\d{1,6}$/.test(text)) throw new UrlProblem("the database at the end is not a number");
  return Number(text);
}

function decode(text: string, what: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new UrlProblem(`${what} has a % that begins no escape: write it as %25`);
  }
}

/** A + is a +, as before the @: `URLSearchParams` would make a blank of it. */
function parametersIn(query: string, names: readonly string[]): ReadonlyMap<string, string> {
  const pairs = query.split("&").flatMap((part) => {
    const [, name = "", value = ""] = /^([^=]*)=?(.*)$/s.exec(part) ?? [];
    return part === "" ? [] : [{ name, value }];
  });
  const may = names.length === 0 ? "it takes no parameters" : `it takes only the parameters ${names.join(" and ")}`;
  if (!pairs.every(({ name }) => names.includes(name))) throw new UrlProblem(`behind the ?, ${may}`);
  if (new Set(pairs.map(({ name }) => name)).size < pairs.length)
    throw new UrlProblem("behind the ?, a parameter stands twice");
  return new Map(pairs.map(({ name, value }) => [name, decode(value, `the parameter ${name}`)]));
}

/** The passwords of a URL: texts that must never be printed. */
export function passwordsIn(target: RedisTarget): string[] {
  const ofSentinels = target.kind === "sentinel" ? target.sentinelPassword : null;
  return [target.password, ofSentinels].filter((one) => one !== null);
}

/** Names the server and its database, without a login: pods that use one database get one text. */
export function databaseOf(target: RedisTarget): string {
  switch (target.kind) {
    case "server":
      return JSON.stringify([target.server, target.database]);
    case "sentinel":
      return JSON.stringify([target.sentinels, target.primary, target.database]);
    case "cluster":
      return JSON.stringify(target.nodes);
  }
}
