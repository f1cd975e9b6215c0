/** A refusal or failure that the caller is told of, as SGLang would. */
export class EngineError extends Error {
  override name = "EngineError";
  readonly status: number;
  readonly type: string;

  constructor(status: 400 | 401 | 404 | 413 | 500 | 503, message: string) {
    super(message);
    this.status = status;
    this.type = TYPES[status];
  }
}

const TYPES = {
  400: "BadRequest",
  401: "Unauthorized",
  404: "NotFound",
  413: "BadRequest",
  500: "INTERNAL_SERVER_ERROR",
  503: "SERVICE_UNAVAILABLE",
};
