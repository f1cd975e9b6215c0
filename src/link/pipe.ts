import { Link, type LinkOptions } from "./link.ts";
import type { LinkHandler } from "./types.ts";

interface PipeOptions {
  /** Serves what the accepting side opens. */
  dialled: LinkHandler;
  /** Serves what the dialling side opens. */
  accepted?: LinkHandler;
  openStreamsMax?: number;
  /** Carries a message; `deliver` hands it to the other end. At the end of the turn unless a test wants it otherwise. */
  carry?: (deliver: () => void) => void;
}

const refuses: LinkHandler = () => Promise.reject(new Error("nothing is served at this end"));

/**
 * Two ends of a link joined in memory, as a socket joins them: messages arrive whole and in order, and when one end
 * closes so does the other.
 */
export function linkPipe(options: PipeOptions): { dialled: Link; accepted: Link } {
  const carry = options.carry ?? ((deliver) => setTimeout(deliver, 0));
  const end = (side: LinkOptions["side"], handler: LinkHandler, other: () => Link): Link =>
    new Link({
      side,
      handler,
      ...(options.openStreamsMax === undefined ? {} : { openStreamsMax: options.openStreamsMax }),
      send: (message) => carry(() => other().receive(message)),
      closed: (reason) => carry(() => other().close(reason.message)),
    });
  const dialled: Link = end("dialled", options.dialled, () => accepted);
  const accepted: Link = end("accepted", options.accepted ?? refuses, () => dialled);
  return { dialled, accepted };
}
