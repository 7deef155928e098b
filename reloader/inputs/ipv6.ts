// Reads whether this machine has IPv6: where it is switched off, nginx refuses a config that listens on it. Reads /proc.
import { readFileSync } from "node:fs";
import { codeOf } from "../../common/errors.ts";

/** The kernel's list of IPv6 addresses is empty or missing where IPv6 is switched off. */
export function hasIpv6(path = "/proc/net/if_inet6"): boolean {
  try {
    return readFileSync(path, "utf8").trim() !== "";
  } catch (error) {
    if (codeOf(error) === "ENOENT") return false;
    throw error;
  }
}
