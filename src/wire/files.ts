import * as z from "zod";

/**
 * A file or folder that travels with a service, whole, as a tar archive. A database answers 10 MB at most by default, in
 * which bytes are written as base64.
 */
export const FILE_BYTES_MAX = 4 * 1024 * 1024;

/** Files and folders of one service; what is larger or more belongs into an image or a volume. */
export const FILES_PER_SERVICE_MAX = 16;

/** SHA-256 in hex. */
export const sha256Name = z.string().regex(/^[0-9a-f]{64}$/, "must be a SHA-256 in hex");

/** Where a host fetches one, with its own credential: this and the SHA-256. */
export const FILES_PATH = "/agent/files/";

/** A file or folder as a job is given it. */
export const deliveredFile = z.object({
  /** Relative to where the job's commands start, or below `~/` its home; absolute in containers only. */
  path: z.string(),
  sha256: sha256Name,
  bytes: z.int().min(0).max(FILE_BYTES_MAX),
});

export type DeliveredFile = z.infer<typeof deliveredFile>;
