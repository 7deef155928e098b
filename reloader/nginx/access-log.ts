// Decides whether nginx can open the access log that the settings name. Pure.

export interface AccessLog {
  /** A path, or `off`. */
  path: string;
  warning: string | null;
}

const DESCRIPTORS: Readonly<Record<string, number>> = { "/dev/stdout": 1, "/dev/stderr": 2 };

/** The file descriptor of nginx that `path` stands for, null when it is an ordinary file. */
export const descriptorOf = (path: string): number | null => DESCRIPTORS[path] ?? null;

/**
 * `behind` is what stands behind nginx' file descriptor (`socket:[7]`), null when that is not known. A socket cannot
 * be opened as a file (ENXIO), and nginx refuses its whole config for a log that it cannot open: seen where Node or
 * systemd had started it. `refusal` is why nginx refused a config, if it did.
 */
export function accessLogFor(path: string, behind: string | null, refusal: string | null): AccessLog {
  const fd = descriptorOf(path);
  if (fd === null) return { path, warning: null };
  const isSocket = behind?.startsWith("socket:") === true;
  const cannotOpen = refusal !== null && isLogRefusal(path, refusal);
  if (!isSocket && !cannotOpen) return { path, warning: null };
  const why = isSocket ? "is a socket" : "cannot be opened";
  const warning = `nginx' ${path} ${why}, so its access log is off: set NGINX_ACCESS_LOG to a file, or to off`;
  return { path: "off", warning };
}

/** True where nginx refused its config since it could not open `path`. */
export const isLogRefusal = (path: string, refusal: string): boolean =>
  descriptorOf(path) !== null && refusal.includes(`open() "${path}" failed`);
