import { describeHardware, type HardwareReport } from "../../agents/host/inventory/describe.ts";
import type { AcceleratorReading, FoundAccelerator } from "../../agents/host/inventory/found.ts";
import { type HealthMemory, NOTHING_KNOWN, weigh } from "../../agents/host/inventory/health.ts";

/** Between two readings of a machine's parts. Agents take a minute; lives here last only some. */
export const READING_MS = 10_000;

/** The accelerators of a machine, how they do, and what its agent makes of that: the last is the real one. */
export class Parts {
  /** By PCI address. */
  readonly hot = new Set<string>();
  readonly gone = new Set<string>();
  report: HardwareReport;
  private readonly accelerators: FoundAccelerator[];
  private memory: HealthMemory = NOTHING_KNOWN;

  constructor(accelerators: number) {
    this.accelerators = Array.from({ length: accelerators }, (_, index) => ({
      vendor: "nvidia",
      name: "H200",
      memoryGib: 141,
      bus: `0000:0${index}:00.0`,
      chain: [],
      numa: null,
      driver: null,
      uuid: null,
      nodes: [],
    }));
    this.report = this.look();
  }

  get buses(): string[] {
    return this.accelerators.map(({ bus }) => bus);
  }

  /** One more reading. @returns whether anything else is to be told than before */
  read(): boolean {
    const before = JSON.stringify(this.report);
    this.report = this.look();
    return JSON.stringify(this.report) !== before;
  }

  /** All that had gone is there again, and what was remembered since the last boot is not. */
  boot(): void {
    this.gone.clear();
    this.memory = NOTHING_KNOWN;
    this.report = this.look();
  }

  private look(): HardwareReport {
    const isThere = ({ bus }: FoundAccelerator) => !this.gone.has(bus);
    const found = { accelerators: this.accelerators.filter(isThere), nics: [], hasRdmaCm: false, warnings: [] };
    const accelerators = new Map(
      this.accelerators.map((one): [string, AcceleratorReading] => {
        const heat = this.hot.has(one.bus) ? "hot" : "cool";
        return [one.bus, { present: isThere(one), uncorrected: 0, heat }];
      }),
    );
    const readings = { accelerators, nics: new Map() };
    this.memory = weigh(this.memory, found, readings);
    const report = describeHardware(found, readings, this.memory);
    // Where they sit means nothing here, and would be told with every report.
    return { ...report, accelerators: report.accelerators.map(({ device: _, ...accelerator }) => accelerator) };
  }
}
