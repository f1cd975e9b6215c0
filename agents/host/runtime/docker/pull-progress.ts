import type { PullLine } from "./engine-answers.ts";

/** A layer that is here, and whether it had to be fetched. */
const DONE = ["Pull complete", "Already exists"];

interface Layer {
  done: boolean;
  /** Bytes. */
  fetched: number;
}

/** More layers than the engine takes. */
const LAYERS_MAX = 1_000;

/** Where a pull stands, from what the engine says of each layer. */
export class PullProgress {
  readonly #layers = new Map<string, Layer>();

  note({ id, status, progressDetail }: PullLine): void {
    // The first line names the tag, not a layer.
    if (id === undefined || status === undefined || status.startsWith("Pulling from")) return;
    const layer = this.#layers.get(id) ?? { done: false, fetched: 0 };
    if (this.#layers.size >= LAYERS_MAX && !this.#layers.has(id)) return;
    // While it is unpacked the numbers begin again.
    if (status === "Downloading") layer.fetched = Math.max(layer.fetched, progressDetail?.current ?? 0);
    layer.done ||= DONE.includes(status);
    this.#layers.set(id, layer);
  }

  /** e.g. `3 of 12 layers, 2.4 GB fetched`; empty before the first layer. */
  text(): string {
    const layers = [...this.#layers.values()];
    if (layers.length === 0) return "";
    const fetched = layers.reduce((sum, layer) => sum + layer.fetched, 0);
    return `${layers.filter((layer) => layer.done).length} of ${layers.length} layers, ${bytesText(fetched)} fetched`;
  }
}

/** In the units that registries and disks are sold in. */
function bytesText(bytes: number): string {
  if (bytes >= 1e9) return `${(bytes / 1e9).toFixed(1)} GB`;
  return bytes >= 1e6 ? `${Math.round(bytes / 1e6)} MB` : `${Math.round(bytes / 1e3)} kB`;
}
