import { setTimeout as delay } from "node:timers/promises";
import { refusalOf } from "../control/refusal.ts";
import { type Caller, type Control, ControlError } from "../control/types.ts";
import { streamOf } from "../link/flows.ts";
import type { LinkAnswer, LinkHandler, ReceivedBody } from "../link/types.ts";
import { openToControl, REPORT_BYTES_MAX, report } from "../wire/index.ts";
import { SYNCS_PER_LINK_MAX } from "./limits.ts";
import type { ReportPace } from "./report-pace.ts";

const STATUS: Partial<Record<ControlError["code"], number>> = {
  forbidden: 403,
  not_found: 404,
  too_many: 429,
  unavailable: 503,
};

/** Whose link it is. */
export type LinkedHost = Caller & { subject: string };

/** Serves what an agent opens on its link: its syncs. */
export function serveHost(control: Control, host: LinkedHost, pace: ReportPace): LinkHandler {
  let open = 0;
  return async (head, body, signal) => {
    if (!openToControl.safeParse(head).success) return refusal(400, "invalid_request", "unknown kind of request");
    if (open >= SYNCS_PER_LINK_MAX) {
      return refusal(429, "too_many", `${open} syncs of this host are open, await their answers`);
    }
    open += 1;
    try {
      for (let ms = pace.waitMs(host.project); ms > 0; ms = pace.waitMs(host.project)) {
        await delay(ms, undefined, { signal });
      }
      return await sync(control, host, await readText(body, (bytes) => pace.spend(host.project, bytes)));
    } catch (error) {
      const refused = refusalOf(error);
      if (!refused) throw error;
      return refusal(STATUS[refused.code] ?? 400, refused.code, refused.message);
    } finally {
      open -= 1;
    }
  };
}

async function sync(control: Control, host: LinkedHost, text: string): Promise<LinkAnswer> {
  const parsed = report.safeParse(parseJson(text));
  if (parsed.success) return json(200, await control.sync(host.project, host.subject, parsed.data));
  const [issue] = parsed.error.issues;
  return refusal(400, "invalid_request", `report: ${issue?.path.join(".")}: ${issue?.message}`);
}

async function readText(body: ReceivedBody, spend: (bytes: number) => void): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of streamOf(body)) {
    spend(chunk.length);
    bytes += chunk.length;
    if (bytes > REPORT_BYTES_MAX) throw new ControlError("too_many", `a report has at most ${REPORT_BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function refusal(status: number, code: string, message: string): LinkAnswer {
  return json(status, { error: { code, message } });
}

function json(status: number, value: unknown): LinkAnswer {
  return {
    head: { status, headers: [["content-type", "application/json"]] },
    body: new TextEncoder().encode(JSON.stringify(value)),
  };
}
