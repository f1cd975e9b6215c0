import { SERVICES_PER_PROJECT_MAX } from "../../core/limits.ts";
import type { Store } from "../../store/types.ts";
import { type DeliveredFile, FILE_BYTES_MAX } from "../../wire/index.ts";
import { toHex } from "../bytes.ts";
import type { Clock } from "../clock.ts";
import { ControlError } from "../types.ts";

/** All files of one project together: sixteen of the largest, or of small ones eight for each of its services. */
const ROOM = { bytesMax: 16 * FILE_BYTES_MAX, filesMax: 8 * SERVICES_PER_PROJECT_MAX };

/** An upload whose apply never came is dropped after a day, and so is what a deleted service had. */
export const FILES_KEPT_UNUSED_MS = 24 * 3_600_000;

/** The files that users send along with their services: content-addressed, so that the same one is kept once. */
export class FileShelf {
  readonly #store: Store;
  readonly #clock: Pick<Clock, "now">;

  constructor(store: Store, clock: Pick<Clock, "now">) {
    this.#store = store;
    this.#clock = clock;
  }

  /** @throws ControlError `conflict` when the bytes are not what their name says, `too_many` when there is no room */
  async put(project: string, sha256: string, body: Uint8Array<ArrayBuffer>): Promise<void> {
    const found = toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", body)));
    if (found !== sha256) {
      throw new ControlError("conflict", `the body's SHA-256 is ${found}, not the one in the path; send it again`);
    }
    const keep = () => this.#store.putFile(project, { sha256, body }, this.#clock.now(), ROOM);
    if (await keep()) return;
    // Housekeeping goes by commits, and a project may make none for days.
    await this.#store.trimFiles(project, this.#clock.now() - FILES_KEPT_UNUSED_MS);
    if (await keep()) return;
    throw new ControlError(
      "too_many",
      `the files of project ${project} would come to more than ${ROOM.bytesMax} bytes or ${ROOM.filesMax} files; delete services that have files, whose room is free a day later, or put the files into an image or a volume`,
    );
  }

  /** @throws ControlError `not_found` */
  async read(project: string, sha256: string): Promise<Uint8Array<ArrayBuffer>> {
    const file = await this.#store.file(project, sha256);
    if (file) return file.body;
    throw new ControlError("not_found", `project ${project} has no file ${sha256}`);
  }

  /**
   * Before a revision is made that names files: that each is there, and stays.
   * @throws ControlError `invalid_config` naming those that were not uploaded
   */
  async take(project: string, files: DeliveredFile[]): Promise<void> {
    if (files.length === 0) return;
    const names = [...new Set(files.map(({ sha256 }) => sha256))];
    const kept = new Map(
      (await this.#store.useFiles(project, names, this.#clock.now())).map(({ sha256, bytes }) => [sha256, bytes]),
    );
    const missing = files.filter(({ sha256, bytes }) => kept.get(sha256) !== bytes);
    if (missing.length === 0) return;
    const list = missing.map(({ path, sha256 }) => `${path} (${sha256})`).join(", ");
    throw new ControlError("invalid_config", `these files were not uploaded before the apply: ${list}`);
  }
}
