// Decides whether nginx can open the access log of the settings. Pure.

export interface AccessLog {
  /** A path, or `off`. */
  path: string;
  warning: string | null;
}

const DESCRIPTORS: Readonly<Record<string, number>> = { "/dev/stdout": 1, "/dev/stderr": 2 };

/** The file descriptor that `path` means in nginx, null when it is an ordinary file. */
export const descriptorOf = (path: string): number | null => DESCRIPTORS[path] ?? null;

/**
 * `target` is what nginx' file descriptor points to (`socket:[7]`), null when that is not known. A socket cannot be opened
 * as a file (ENXIO), and nginx refuses its whole config for a log that it cannot open; this was seen where Node or systemd
 * had started nginx. `refusal` is why nginx once refused to open the log, null when it did not.
 */
export function accessLogFor(path: string, target: string | null, refusal: string | null): AccessLog {
  const fd = descriptorOf(path);
  if (fd === null) return { path, warning: null };
  const isSocket = target?.startsWith("socket:") === true;
  const cannotOpen = refusal !== null && isLogRefusal(path, refusal);
  if (!isSocket && !cannotOpen) return { path, warning: null };
  const why = isSocket ? "is a socket" : "cannot be opened";
  const warning = `nginx' ${path} ${why}, so its access log is off: set NGINX_ACCESS_LOG to a file, or to off`;
  return { path: "off", warning };
}

/** True when nginx refused its config because it could not open `path`. */
export const isLogRefusal = (path: string, refusal: string): boolean =>
  descriptorOf(path) !== null && refusal.includes(`open() "${path}" failed`);
