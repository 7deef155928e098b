// Configs for the same server that ours is compared with, and ours. Logs go to a given file, or nowhere. Pure.
import type { Server } from "../../common/upstream-file.ts";
import { type Config, renderConfig } from "../../reloader/render/render.ts";
import { reloaderSettings } from "../../reloader/settings.ts";

const HEADERS = `proxy_set_header Host $http_host;
    proxy_set_header X-Real-IP $remote_addr;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;`;

const accessLog = (path: string | null) => `access_log ${path === null ? "off" : `${path} combined`};`;

/** A plain `proxy_pass`: nginx opens a connection to the instance for each request. */
export function plainProxy(listenPort: number, { host, port }: Server, log: string | null): string {
  return `server {
  listen ${listenPort};
  ${accessLog(log)}
  location / {
    proxy_pass http://${host}:${port};
    ${HEADERS}
  }
}
`;
}

/** What many write for one server: keep-alive connections and the usual headers, nothing else. */
export function handWrittenProxy(listenPort: number, { host, port }: Server, log: string | null): string {
  return `upstream instance {
  server ${host}:${port};
  keepalive 64;
}
server {
  listen ${listenPort};
  ${accessLog(log)}
  location / {
    proxy_pass http://instance;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    ${HEADERS}
  }
}
`;
}

/** The config that the reloader renders with its default settings, on these ports. */
export function ourProxy(
  ports: { listen: number; status: number },
  server: Server,
  log: string | null = "/dev/null",
): Config {
  const env = {
    NGINX_LISTEN_PORT: String(ports.listen),
    NGINX_STATUS_PORT: String(ports.status),
    NGINX_ACCESS_LOG: log ?? "off",
  };
  const { settings } = reloaderSettings({ env, flags: {}, readFile: () => "" }, false);
  return renderConfig({ server, address: server.host }, settings.proxy);
}
