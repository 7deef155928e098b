// The secrets of the settings, which can change while the program runs. Touches the files with secrets.
import { readSetting, type SettingsSource } from "../common/settings.ts";
import type { Header, RegistryLogin } from "../common/variable-parsers.ts";
import type { Values } from "../common/variables.ts";
import type { RedisAddress, RedisAddresses } from "./redis/address.ts";
import { passwordsIn } from "./redis/url.ts";
import { PROVISIONER_VARIABLES } from "./variables.ts";

export interface Secrets {
  apiKey(): string;
  /** Null for `none`. */
  registryLogin(): RegistryLogin | null;
  /** The header that authenticates requests to the instance. */
  upstreamAuth(): Header | null;
  /** Texts that must never be printed. */
  all(): string[];
  /** Reads the files of `_FILE` variables again. If a file cannot be read, its last secret stays in use. */
  reload(): void;
}

/** The passwords in the address of a Redis. */
export const passwordsOf = (address: RedisAddress | null) => (address === null ? [] : passwordsIn(address.target));

const ROTATING = ["VAST_API_KEY", "DOCKER_LOGIN", "UPSTREAM_AUTH_HEADER"] as const;
type Rotating = Pick<Values<typeof PROVISIONER_VARIABLES>, (typeof ROTATING)[number]>;

/** The secrets as they are first read. */
export function createSecrets(source: SettingsSource, first: Rotating, redis: RedisAddresses): Secrets {
  let current = first;
  const used = new Set<string>(); // former secrets too: a late error may still contain them
  const addUsed = ({ VAST_API_KEY: key, DOCKER_LOGIN: login, UPSTREAM_AUTH_HEADER: auth }: Rotating) => {
    used.add(key);
    if (login !== null) used.add(login.password);
    if (auth === undefined) return;
    used.add(auth.value);
    used.add(auth.value.split(" ").at(-1) ?? ""); // an error may contain only the token of `Bearer <token>`
  };
  for (const address of [redis.bans, redis.fleet]) for (const password of passwordsOf(address)) used.add(password);
  addUsed(current);
  return {
    apiKey: () => current.VAST_API_KEY,
    registryLogin: () => current.DOCKER_LOGIN,
    upstreamAuth: () => current.UPSTREAM_AUTH_HEADER ?? null,
    all: () => [...used],
    reload() {
      for (const name of ROTATING) {
        try {
          current = { ...current, [name]: readSetting(PROVISIONER_VARIABLES, source, name) };
        } catch {
          // The file is half-written or missing for a moment: the current secret stays. If it is refused, the log says so.
        }
      }
      addUsed(current);
    },
  };
}
