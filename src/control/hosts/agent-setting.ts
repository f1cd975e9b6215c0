import type { AgentBuilds } from "../../core/hosts/agent-builds.ts";

/** Where the operator of a server that gives no agent out itself says which one hosts get. */
export interface AgentVariables {
  /** Address of the agent's archive in the folder that `headrace host files` wrote: `https://…/<sha256>.tar.gz`. */
  HEADRACE_AGENT_URL?: string;
}

const ARCHIVE = /^(https?:\/\/[!-~]{1,1900})\/([0-9a-f]{64})\.tar\.gz$/;

/**
 * The builds that hosts are given by a server without an installation folder of its own. An empty variable counts as
 * unset: then hosts keep the agents that they have.
 * @throws Error for people when the address is none of an agent
 */
export function agentSetting({ HEADRACE_AGENT_URL: written }: AgentVariables): AgentBuilds {
  if (!written) return { server: null, kept: [], from: null };
  const [, from, build] = ARCHIVE.exec(written) ?? [];
  if (from !== undefined && build !== undefined) return { server: build, kept: [], from };
  throw new Error(
    `HEADRACE_AGENT_URL is ${JSON.stringify(written)}, which is no address of an agent: write it as ` +
      "`headrace host files` says, such as https://downloads.example.com/headrace-install/<SHA-256>.tar.gz.",
  );
}
