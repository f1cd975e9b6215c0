import { describe, expect, it } from "vitest";
import { relayed } from "./relayed.ts";

/** A source in which nothing happens, and whether it was left. */
function silent() {
  const seen = { left: false };
  const stream = new ReadableStream<Uint8Array>({
    cancel: () => {
      seen.left = true;
    },
  });
  return { seen, stream };
}

describe("the source of a stream that goes to another object", () => {
  const leave = {
    "while it is read": (asked: AbortController, open: () => void) => {
      open();
      asked.abort();
    },
    "while it was being opened": (asked: AbortController, open: () => void) => {
      asked.abort();
      open();
    },
  };

  it.each(Object.entries(leave))("is left when whoever asked leaves %s", async (_, act) => {
    const { seen, stream } = silent();
    const asked = new AbortController();
    let read: Promise<unknown> | undefined;
    act(asked, () => {
      read = relayed(stream, () => undefined, asked.signal)
        .getReader()
        .read();
    });
    expect(await read).toEqual({ done: true, value: undefined });
    expect(seen.left).toBe(true);
  });
});
