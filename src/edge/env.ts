import type { ImageSettings } from "../adapters/index.ts";
import { type ImageVariables, imageSettings } from "../control/apply/image-settings.ts";
import { fromBase64Url } from "../control/bytes.ts";
import { type AgentVariables, agentSetting } from "../control/hosts/agent-setting.ts";
import { createSealer, SEALING_KEY_BYTES, type Sealer } from "../control/seal.ts";
import type { AgentBuilds } from "../core/hosts/agent-builds.ts";
import { createStore } from "../store/libsql.ts";
import { remoteClient } from "../store/remote.ts";
import type { Store } from "../store/types.ts";
import type { DurableObjectNamespace } from "./platform.ts";
import type { LinkStub, ProjectStub } from "./stubs.ts";

/** What the Worker is given by its configuration (`wrangler.jsonc`) and its secrets. */
export interface Env extends ImageVariables, AgentVariables {
  PROJECT: DurableObjectNamespace<ProjectStub>;
  LINK: DurableObjectNamespace<LinkStub>;
  /** `libsql://` or `https://`. */
  HEADRACE_DATABASE_URL?: string;
  HEADRACE_DATABASE_TOKEN?: string;
  /** Keys of 32 bytes in base64, separated by commas: the first seals, all of them open. */
  HEADRACE_KEY?: string;
  /** Which deployment this is. */
  VERSION?: { id: string };
}

/** The Worker lacks something that it cannot do without. The message names it and shows nothing of it. */
class SettingError extends Error {
  override name = "SettingError";
}

/** The store over HTTP. It holds no connection, so making one costs nothing. */
export function storeOf(env: Env): Store {
  if (!env.HEADRACE_DATABASE_URL) {
    throw new SettingError("The Worker has no database: set HEADRACE_DATABASE_URL (headrace deploy edge does).");
  }
  return createStore(remoteClient(env.HEADRACE_DATABASE_URL, env.HEADRACE_DATABASE_TOKEN || null));
}

export function sealerOf(env: Env): Promise<Sealer> {
  if (!env.HEADRACE_KEY) {
    throw new SettingError("The Worker has no key to seal secrets with: set HEADRACE_KEY (headrace deploy edge does).");
  }
  return createSealer(env.HEADRACE_KEY.split(",").map(keyOf));
}

/** For groups that name no image. */
export function imagesOf(env: Env): ImageSettings {
  return settingOf(() => imageSettings(env));
}

/** The builds of the agent that hosts can be given: a Worker has no files of its own. */
export function buildsOf(env: Env): AgentBuilds {
  return settingOf(() => agentSetting(env));
}

function settingOf<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new SettingError((error as Error).message);
  }
}

function keyOf(text: string): Uint8Array<ArrayBuffer> {
  try {
    const key = fromBase64Url(text.trim());
    if (key.length === SEALING_KEY_BYTES) return key;
  } catch {
    // Said below, without what was written.
  }
  throw new SettingError(`HEADRACE_KEY holds something that is not a key: ${SEALING_KEY_BYTES} bytes in base64.`);
}

export function projectStub(env: Env, project: string): ProjectStub {
  return env.PROJECT.get(env.PROJECT.idFromName(project));
}

export function linkStub(env: Env, { project, host }: HostName): LinkStub {
  return env.LINK.get(env.LINK.idFromName(`${project}/${host}`));
}

/** A host, and whose it is. */
export interface HostName {
  project: string;
  host: string;
}
