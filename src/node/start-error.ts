/** An obstacle to starting that the operator can remove; its message says how. */
export class StartError extends Error {
  override name = "StartError";
}
