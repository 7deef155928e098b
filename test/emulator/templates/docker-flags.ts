// A template's environment as docker flags, and the map that the API makes of it. The grammar is that of the vendor's client. Pure.

/** `-e A=b -p 8000:8000 -h name` -> `{A: "b", "-p 8000:8000": "1", "-h": "name"}`. Unknown flags are silently ignored. */
export function parseDockerFlags(text: string): Record<string, string> {
  const words = splitWords(text);
  const env: Record<string, string> = {};
  for (let i = 0; i < words.length; i++) {
    const flag = words[i];
    const value = words[i + 1];
    if (value === undefined) break;
    if (flag === "-e" || flag === "--env") {
      const at = value.indexOf("=");
      if (at > 0) env[value.slice(0, at)] = unquote(value.slice(at + 1));
      i++;
    } else if (flag === "-p" || flag === "--publish") {
      if (/^[0-9:tcpud/]+$/.test(value)) env[`-p ${value}`] = "1";
      i++;
    } else if (flag === "-v" || flag === "-n") {
      if (/^[A-Za-z0-9:._/-]+$/.test(value)) env[`${flag} ${value}`] = "1";
      i++;
    } else if (flag === "-h") {
      env["-h"] = unquote(value);
      i++;
    }
  }
  return env;
}

/** The ports that the flags in `env` publish: container port, protocol and the requested host port (null means any). */
export function wishedPorts(env: Readonly<Record<string, string>>): Wish[] {
  const wishes: Wish[] = [];
  for (const name of Object.keys(env)) {
    const match = /^-p (?:(\d+):)?(\d+)(?:\/(tcp|udp))?$/.exec(name);
    if (!match?.[2]) continue;
    const container = Number(match[2]);
    if (container < 1) continue;
    wishes.push({ container, protocol: match[3] === "udp" ? "udp" : "tcp", identity: container >= 70_000 });
  }
  return wishes;
}

export interface Wish {
  container: number;
  protocol: "tcp" | "udp";
  /** Numbers from 70000 are not real ports: they request the same port inside and outside. */
  identity: boolean;
}

function splitWords(text: string): string[] {
  return text.match(/(?:[^\s"']+|"[^"]*"|'[^']*')+/g) ?? [];
}

function unquote(value: string): string {
  return /^(["']).*\1$/s.test(value) ? value.slice(1, -1) : value;
}
