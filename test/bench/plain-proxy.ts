// Two configs for the same server: a plain `proxy_pass`, with which nginx opens a connection to the instance for each request,
// and ours. Pure.
import type { Server } from "../../common/upstream-file.ts";
import { type Config, renderConfig } from "../../reloader/render/render.ts";
import { reloaderSettings } from "../../reloader/settings.ts";

/** Logs like ours, but to /dev/null: the disk is not measured. */
export function plainProxy(listenPort: number, { host, port }: Server): string {
  return `server {
  listen ${listenPort};
  access_log /dev/null combined;
  location / {
    proxy_pass http://${host}:${port};
    proxy_set_header Host $http_host;
    proxy_set_header X-Real-IP $remote_addr;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
  }
}
`;
}

/** The config that the reloader renders with its default settings, on these ports. */
export function ourProxy(ports: { listen: number; status: number }, server: Server): Config {
  const env = {
    NGINX_LISTEN_PORT: String(ports.listen),
    NGINX_STATUS_PORT: String(ports.status),
    NGINX_ACCESS_LOG: "/dev/null",
  };
  const { settings } = reloaderSettings({ env, flags: {}, readFile: () => "" }, false);
  return renderConfig({ server, address: server.host }, settings.proxy);
}
