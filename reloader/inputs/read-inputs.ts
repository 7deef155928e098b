// Gathers what the config depends on besides server and settings: the secret header, nginx' version, a template of the
// user's own. Touches what it is given.

import type { RenderInputs } from "../render/view.ts";
import type { AuthResult } from "./auth-header.ts";

/** `usable` false: no config can be rendered from it; `problem` says why. */
export interface InputsRead {
  render: RenderInputs;
  usable: boolean;
  problem: string | null;
}

export interface InputSources {
  auth(): Promise<AuthResult>;
  nginxVersion(): Promise<string | null>;
  /** Null: the template is the built-in one. */
  template: { path: string; read(): Promise<string> } | null;
}

export async function readInputs({ auth, nginxVersion, template }: InputSources): Promise<InputsRead> {
  const secret = await auth();
  const found = { auth: secret.auth, nginxVersion: await nginxVersion(), template: null };
  if (template === null) return { render: found, usable: secret.usable, problem: secret.problem };
  try {
    const text = await template.read();
    return { render: { ...found, template: text }, usable: secret.usable, problem: secret.problem };
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
    const why = `${template.path} (NGINX_TEMPLATE_PATH) cannot be read (${code}): put the template there, or leave the setting out`;
    return { render: found, usable: false, problem: secret.problem === null ? why : `${secret.problem}; ${why}` };
  }
}
