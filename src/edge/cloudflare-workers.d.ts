/** The one class of the platform that has to be extended. */
declare module "cloudflare:workers" {
  export class DurableObject<Env> {
    constructor(ctx: import("./platform.ts").DurableState, env: Env);
    readonly ctx: import("./platform.ts").DurableState;
    readonly env: Env;
  }
}
