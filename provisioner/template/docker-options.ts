// The docker flags of a template, as in `-p 8000:8000 -e A=b`: the API has variables, ports and all else in this one text. The grammar is
// that of the vendor's client: words are split at blanks outside of quotes. Pure.

export interface DockerOptions {
  env: Readonly<Record<string, string>>;
  /** `8000:8000`, `9000:9000/udp` */
  ports: readonly string[];
  /** All other flags with their values, unchanged. */
  others: readonly string[];
}

export function readDockerOptions(text: string): DockerOptions {
  const words = text.match(/(?:[^\s"']+|"[^"]*"|'[^']*')+/g) ?? [];
  const env: Record<string, string> = {};
  const [ports, others]: [string[], string[]] = [[], []];
  for (let i = 0; i < words.length; i += 1) {
    const [flag = "", value] = [words[i], words[i + 1]];
    if (value !== undefined && (flag === "-e" || flag === "--env")) {
      const at = value.indexOf("=");
      if (at > 0) env[value.slice(0, at)] = withoutQuotes(value.slice(at + 1));
      else others.push(flag, value);
      i += 1;
    } else if (value !== undefined && (flag === "-p" || flag === "--publish")) {
      ports.push(value);
      i += 1;
    } else others.push(flag);
  }
  return { env, ports: [...new Set(ports)], others };
}

export function formatDockerOptions({ env, ports, others }: DockerOptions): string {
  return [
    ...ports.map((port) => `-p ${port}`),
    ...Object.entries(env).map(([name, value]) => `-e ${name}=${quoted(value)}`),
    ...others,
  ].join(" ");
}

/** `8000:8000/tcp` and `8000:8000` are one port, and so is one that is named twice. */
export function comparablePorts(ports: readonly string[]): string[] {
  return [...new Set(ports.map((port) => port.replace(/\/tcp$/, "")))].toSorted();
}

/** A value has at most one kind of quotes. */
function quoted(value: string): string {
  if (/^[^\s"']+$/.test(value)) return value;
  return value.includes('"') ? `'${value}'` : `"${value}"`;
}

function withoutQuotes(value: string): string {
  return /^(["']).*\1$/s.test(value) ? value.slice(1, -1) : value;
}
