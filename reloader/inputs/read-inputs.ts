// Reads what the config depends on besides the server and the settings: the secret header, nginx' version and the user's
// template. Touches what it is given.
import { codeOf } from "../../common/errors.ts";
import type { RenderInputs } from "../render/view.ts";
import type { AuthResult } from "./auth-header.ts";

/** `usable` false: no config can be rendered from it, and `problem` says why. */
export interface InputsRead {
  render: RenderInputs;
  usable: boolean;
  problem: string | null;
}

export interface InputSources {
  auth(): Promise<AuthResult>;
  nginxVersion(): Promise<string | null>;
  /** Null: the built-in template is used. */
  template: { path: string; read(): Promise<string> } | null;
}

export async function readInputs({ auth, nginxVersion, template }: InputSources): Promise<InputsRead> {
  const secret = await auth();
  const render = { auth: secret.auth, nginxVersion: await nginxVersion(), template: null };
  if (template === null) return { render, usable: secret.usable, problem: secret.problem };
  try {
    const text = await template.read();
    return { render: { ...render, template: text }, usable: secret.usable, problem: secret.problem };
  } catch (error) {
    const code = codeOf(error) ?? String(error);
    const why = `${template.path} (NGINX_TEMPLATE_PATH) cannot be read (${code}): put the template there, or remove the setting`;
    return { render, usable: false, problem: secret.problem === null ? why : `${secret.problem}; ${why}` };
  }
}
