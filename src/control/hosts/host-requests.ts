import { wholeOf } from "../../link/flows.ts";
import type { LinkAnswer, LinkHandler, ReceivedBody } from "../../link/types.ts";
import { openToControl, REPORT_BYTES_MAX, type Report, report, type SyncAnswer } from "../../wire/index.ts";
import { refusalOf } from "../refusal.ts";
import type { ControlError } from "../types.ts";
import type { ReportPace } from "./report-pace.ts";
import type { ReportTurn, ReportTurns } from "./report-turns.ts";

/** Syncs that one link may have open: an agent sends one at a time, and another when it has given the first up. */
const SYNCS_PER_LINK_MAX = 2;

const STATUS: Partial<Record<ControlError["code"], number>> = {
  forbidden: 403,
  not_found: 404,
  too_many: 429,
  unavailable: 503,
};

interface HostRequests {
  /** @throws ControlError when the host's report is refused */
  sync(report: Report, waitedMs: number): Promise<SyncAnswer>;
  /** Ends the link: the host was removed after it was let in, so that nobody else knows of this link. */
  removed(): void;
  /** At which reports of the host's project are read. */
  pace: ReportPace;
  /** In which reports are read where the links of many hosts end in one process. */
  turns?: ReportTurns;
  project: string;
}

/** Serves what an agent opens on its link: its syncs. */
export function serveHost({ sync, removed, pace, turns, project }: HostRequests): LinkHandler {
  let open = 0;
  return async (head, body, signal) => {
    if (!openToControl.safeParse(head).success) return refusal(400, "invalid_request", "unknown kind of request");
    if (open >= SYNCS_PER_LINK_MAX) {
      return refusal(429, "too_many", `${open} syncs of this host are open, await their answers`);
    }
    open += 1;
    let turn: ReportTurn | undefined;
    try {
      for (let ms = pace.waitMs(project); ms > 0; ms = pace.waitMs(project)) await pause(ms, signal);
      const bytes = await bytesOf(body);
      if (bytes === null) {
        return refusal(413, "too_large", `The report is larger than ${REPORT_BYTES_MAX} bytes, the most that is read.`);
      }
      pace.spend(project, bytes.byteLength);
      turn = await turns?.take(project, signal);
      const parsed = report.safeParse(parseJson(bytes));
      if (parsed.success) return json(200, await sync(parsed.data, turn?.waitedMs ?? 0));
      const [issue] = parsed.error.issues;
      return refusal(400, "invalid_request", `report: ${issue?.path.join(".")}: ${issue?.message}`);
    } catch (error) {
      const refused = refusalOf(error);
      if (!refused) throw error;
      if (refused.code === "not_found") removed();
      return refusal(STATUS[refused.code] ?? 400, refused.code, refused.message);
    } finally {
      turn?.over();
      open -= 1;
    }
  };
}

/** @returns null when it is larger than a report may be */
async function bytesOf(body: ReceivedBody): Promise<Uint8Array | null> {
  try {
    return await wholeOf(body, REPORT_BYTES_MAX);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return null;
  }
}

/** @throws the signal's reason when it aborts first */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const over = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", over);
      resolve();
    }, ms);
    signal.addEventListener("abort", over, { once: true });
  });
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
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
