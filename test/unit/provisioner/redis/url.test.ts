import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { databaseOf, parseRedisUrl, passwordsIn, type RedisTarget } from "../../../../provisioner/redis/url.ts";

const targetOf = (text: string): RedisTarget => {
  const parsed = parseRedisUrl(text);
  if ("problem" in parsed) throw new Error(parsed.problem);
  return parsed.target;
};
const problemOf = (text: string) => {
  const parsed = parseRedisUrl(text);
  return "problem" in parsed ? parsed.problem : null;
};
const nobody = { username: null, password: null };

describe("the URL of a Redis", () => {
  test.each([
    ["redis://redis:6379/10", { kind: "server", tls: false, ...nobody, server: at("redis", 6379), database: 10 }],
    ["rediss://r.example", { kind: "server", tls: true, ...nobody, server: at("r.example", 6379), database: 0 }],
    ["redis://my_redis/", { kind: "server", tls: false, ...nobody, server: at("my_redis", 6379), database: 0 }],
    [
      "redis://us%40er:p%2F%3A@[2001:db8::7]:7000/2",
      { kind: "server", tls: false, username: "us@er", password: "p/:", server: at("2001:db8::7", 7000), database: 2 },
    ],
    [
      "redis+sentinel://u:p@s1,s2:7,[::1]/my%20primary/3?sentinelUsername=su&sentinelPassword=s%26p",
      {
        kind: "sentinel",
        tls: false,
        username: "u",
        password: "p",
        sentinels: [at("s1", 26_379), at("s2", 7), at("::1", 26_379)],
        primary: "my primary",
        database: 3,
        sentinelUsername: "su",
        sentinelPassword: "s&p",
      },
    ],
    [
      "rediss+cluster://:p@n1,n2:7001",
      { kind: "cluster", tls: true, username: null, password: "p", nodes: [at("n1", 6379), at("n2", 7001)] },
    ],
  ])("is read: %s", (text, target) => {
    expect(targetOf(text)).toEqual(target);
  });

  test.each([
    ["http://redis:6379", /begin with redis:\/\/, rediss:\/\//],
    ["redis:redis", /begin with/],
    ["redis://a,b", /several hosts need redis\+sentinel:\/\/ or redis\+cluster/],
    ["redis://a/1/2", /only the number of the database/],
    ["redis://a/one", /database at the end is not a number/],
    ["redis://a:70000", /port of host 1/],
    ["redis+cluster://a:1,b:0", /port of host 2/],
    ["redis+cluster://a,", /host 2 is not a host name/],
    ["redis://2001:db8::7", /address in brackets/],
    ["redis://[nonsense]", /address in brackets/],
    ["redis://:100%@a", /the password has a %.*%25/],
    ["redis+sentinel://a,b", /name of the primary, as in \/mymaster/],
    ["redis+sentinel://a//3", /name of the primary/],
    ["redis+cluster://a/3", /database 0 only/],
    ["redis://a?db=3", /only the parameters password/],
    ["redis+sentinel://a/m?password=x", /only the parameters sentinelUsername and sentinelPassword/],
    ["redis://a/1#x", /begin with|percent-encoded/],
    ["redis://a?password=100%", /the parameter password has a %.*%25/],
    ["redis://a?password=x&password=y", /a parameter stands twice/],
    ["redis://:x@a?password=y", /two passwords: keep the one before the @ or the one behind the \?/],
  ])("is refused with what is wrong: %s", (text, problem) => {
    expect(problemOf(text)).toMatch(problem);
  });

  test("may have a + in a password, wherever that stands", () => {
    expect(targetOf("redis://:a+b@r")).toMatchObject({ password: "a+b" });
    expect(targetOf("redis://r?password=a+b")).toMatchObject({ password: "a+b" });
    const sentinels = "redis+sentinel://s/main?sentinelUsername=u+v&sentinelPassword=a+b%20c";
    expect(targetOf(sentinels)).toMatchObject({ sentinelUsername: "u+v", sentinelPassword: "a+b c" });
  });

  test("names its database, whatever the login", () => {
    const different = ["redis://a/1", "redis://a/2", "redis://b/1", "redis+sentinel://a/m/1", "redis+cluster://a"];
    const names = different.map((url) => databaseOf(targetOf(url)));
    expect(new Set(names).size).toBe(different.length);
    expect(different.map((url) => databaseOf(targetOf(url.replace("//", "//user:hunter22@"))))).toEqual(names);
  });

  const host = fc.oneof(fc.constantFrom("redis", "my_redis.local", "10.1.2.3"), fc.constant("2001:db8::7"));
  const hosts = fc.array(fc.record({ host, port: fc.integer({ min: 1, max: 65_535 }) }), {
    minLength: 1,
    maxLength: 4,
  });
  const secret = fc.string({ minLength: 1, unit: "grapheme" });

  test("gives back whatever parts it was made of", () => {
    fc.assert(
      fc.property(
        hosts,
        secret,
        secret,
        secret,
        fc.nat({ max: 999_999 }),
        (list, username, password, name, database) => {
          const written = list.map(({ host: h, port }) => (h.includes(":") ? `[${h}]:${port}` : `${h}:${port}`)).join();
          const user = `${encodeURIComponent(username)}:${encodeURIComponent(password)}@`;
          const query = `?sentinelPassword=${encodeURIComponent(name)}`;
          const sentinel = `redis+sentinel://${user}${written}/${encodeURIComponent(name)}/${database}${query}`;
          expect(targetOf(sentinel)).toMatchObject({ username, password, sentinels: list, primary: name, database });
          expect(passwordsIn(targetOf(sentinel))).toEqual([password, name]);
          expect(targetOf(`redis+cluster://${user}${written}`)).toMatchObject({ username, password, nodes: list });
        },
      ),
    );
  });

  test("is never quoted in a problem, and no text makes the parser throw", () => {
    const piece = fc.constantFrom("redis", "+sentinel", "+cluster", "://", "@", ":", "/", "?", "#", ",", "%", "[", "7");
    const text = fc.array(fc.oneof(piece, fc.constant("hunter22")), { maxLength: 14 });
    fc.assert(fc.property(text, (pieces) => !problemOf(pieces.join(""))?.includes("hunter22")));
  });
});

function at(host: string, port: number) {
  return { host, port };
}
