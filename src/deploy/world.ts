/** What a deployment has of the world beside the database and wrangler. */
export interface World {
  env: Record<string, string | undefined>;
  /** The user's home folder. */
  home: string;
  fetch: typeof fetch;
  /** ms since 1970. */
  now(): number;
  sleep(ms: number): Promise<void>;
  interrupted: AbortSignal;
  /** For standard output. */
  say(line: string): void;
  warn(line: string): void;
  /**
   * Shows and keeps the first admin's token for the server at `url`. Called before the database has its hash, so that no
   * crash can leave behind a token that nobody has.
   */
  keepToken(url: string, token: string): Promise<void>;
}
