// Whether the template can work with the settings: its ports and the registry login. Pure.
import * as z from "zod";
import type { RegistryLogin } from "../../common/variable-parsers.ts";
import { differences } from "../template/compare.ts";
import type { WantedTemplate } from "../template/file.ts";
import { publishedPorts, type Template } from "../vast/rows.ts";
import { type Finding, fail, ok, warn } from "./findings.ts";

/** Settings that could not be read are undefined; `login` null: none, the template's is used. */
export interface TemplateSettings {
  name: string;
  image: string | undefined;
  upstreamPort: number | undefined;
  login: RegistryLogin | null | undefined;
  /** What VAST_TEMPLATE_FILE says; null without one. */
  wanted: WantedTemplate | null;
}

/** `row`: the template as the API shows it. Null: the account has none of that name. */
export function judgeTemplate(template: Template | null, row: unknown, settings: TemplateSettings): Finding[] {
  const { name, wanted } = settings;
  if (template === null && wanted !== null)
    return [
      warn(
        "template",
        `the account has no template of its own named ${JSON.stringify(name)} yet: run creates it from VAST_TEMPLATE_FILE`,
        "to create it before, see vast-provisioner template diff, then template apply",
      ),
    ];
  if (template === null)
    return [
      fail(
        "template",
        `the account has no template of its own named ${JSON.stringify(name)}`,
        "create it in the console of Vast.ai, or correct VAST_TEMPLATE_NAME (capitals and blanks count)",
      ),
    ];
  const { env, docker_login_repo: loginOfTemplate } = rowFields.parse(row);
  const ports = publishedPorts(env).map(containerPort);
  const disk = template.diskSpace === null ? "no disk space of its own" : `${template.diskSpace} GB of disk`;
  const about = `${name} (${template.hash.slice(0, 8)}), ${disk}`;
  return [
    ...judgePorts(about, ports, settings.upstreamPort),
    ...judgeFile(wanted, row),
    ...judgeLogin(settings, loginOfTemplate),
  ];
}

/** The values are not shown: `template diff` shows them without the secrets. */
function judgeFile(wanted: WantedTemplate | null, row: unknown): Finding[] {
  const fields = wanted === null ? [] : differences(wanted, rowOf.parse(row)).map(({ field }) => field);
  if (fields.length === 0) return [];
  const text = `the account's template differs from VAST_TEMPLATE_FILE in ${fields.join(", ")}: run edits it, and pods then replace their instances`;
  return [warn("template", text, "see vast-provisioner template diff, and correct the file if that is not meant")];
}

const rowOf = z.looseObject({}).catch({});

const rowFields = z.object({
  env: z.string().catch(""),
  docker_login_repo: z.string().nullish().catch(null),
});

/** "8000/tcp" for `8000:8000` and `127.0.0.1:8000:8000/tcp`. */
function containerPort(flag: string): string {
  const [numbers = "", protocol = "tcp"] = flag.split("/");
  return `${numbers.split(":").at(-1)}/${protocol}`;
}

// sshd, and Vast.ai's own Jupyter or portal: served only when VAST_UPSTREAM_PORT names them.
const OTHERS = new Set(["22/tcp", "8080/tcp"]);

/** An image publishes the ports of its EXPOSE lines as well, so a port that the template lacks is no proof. */
function judgePorts(about: string, ports: readonly string[], wanted: number | undefined): Finding[] {
  const shown = ports.length === 0 ? "publishes no port" : `publishes ${ports.join(", ")}`;
  const text = `${about}, ${shown}`;
  if (wanted !== undefined) {
    if (ports.includes(`${wanted}/tcp`)) return [ok("template", text)];
    const remedy = `publish it in the template with -p ${wanted}:${wanted}, unless the image has EXPOSE ${wanted}`;
    return [warn("template", `${text}, but not VAST_UPSTREAM_PORT ${wanted}`, remedy)];
  }
  const candidates = ports.filter((port) => port.endsWith("/tcp") && !OTHERS.has(port));
  if (candidates.length === 1) return [ok("template", text)];
  return [
    candidates.length === 0
      ? warn(
          "template",
          text,
          "publish the app's port in the template, like -p 8000:8000, unless the image has EXPOSE for it",
        )
      : warn("template", text, "set VAST_UPSTREAM_PORT to the one that nginx has to serve"),
  ];
}

function judgeLogin({ image, login }: TemplateSettings, loginOfTemplate: string | null | undefined): Finding[] {
  if (image === undefined || login === undefined) return [];
  const registry = registryOf(image);
  if (login === null) {
    const whose = loginOfTemplate ? `the template's login for ${loginOfTemplate}` : "no login";
    return [ok("login", `${whose} is used for ${image}`)];
  }
  if (sameRegistry(registry, login.host)) return [ok("login", `${login.user} at ${login.host}, for ${image}`)];
  const text = `DOCKER_LOGIN is for ${login.host}, but VAST_TEMPLATE_IMAGE comes from ${registry}`;
  return [warn("login", text, "correct the host in DOCKER_LOGIN, or write the registry in VAST_TEMPLATE_IMAGE")];
}

const HUB = "docker.io";
const HUB_NAMES: ReadonlySet<string> = new Set([
  HUB,
  "index.docker.io",
  "registry-1.docker.io",
  "registry.hub.docker.com",
]);

/** The first part of an image reference is a registry if it looks like a host. */
function registryOf(image: string): string {
  const [first = "", ...rest] = image.split("/");
  return rest.length > 0 && (/[.:]/.test(first) || first === "localhost") ? first.toLowerCase() : HUB;
}

function sameRegistry(registry: string, loginHost: string): boolean {
  const host =
    loginHost
      .replace(/^https?:\/\//, "")
      .split("/")[0]
      ?.toLowerCase() ?? "";
  return registry === host || (HUB_NAMES.has(registry) && HUB_NAMES.has(host));
}
