import * as z from "zod";
import { secretNameText } from "../control/views/views.ts";
import { id, resourceName } from "../wire/index.ts";
import { errorBody } from "./error-body.ts";

/** Parts that several routes share. */

export const projectParams = z.object({ project: resourceName });

export const hostParams = z.object({ project: resourceName, host: id });

export const fleetParams = z.object({ project: resourceName, fleet: resourceName });

export const secretParams = z.object({ project: resourceName, secret: secretNameText });

export const tokenParams = z.object({ project: resourceName, token: id });

export const serviceParams = z.object({ project: resourceName, service: resourceName });

const KEY_HELP =
  "every change needs an Idempotency-Key header: 8 to 200 printable ASCII characters, random and new for each change. " +
  "Send the same one again only to repeat the same request";

/** The same key with the same request gets the same answer and changes nothing a second time. */
export const changeHeaders = z.object({
  "idempotency-key": z.string({ error: KEY_HELP }).regex(/^[\x20-\x7e]{8,200}$/, KEY_HELP),
});

/** A number in a query string. */
export function queryInt(min: number, max: number) {
  const help = `must be a whole number from ${min} to ${max}`;
  return z.coerce.number(help).int(help).min(min, help).max(max, help);
}

/** A truth in a query string: `?follow`, `?follow=1` and `?follow=true` are true. */
export const queryFlag = z
  .enum(["", "1", "true", "0", "false"])
  .default("false")
  .transform((text) => text === "" || text === "1" || text === "true");

export function json<S extends z.ZodType>(schema: S, description: string) {
  return { description, content: { "application/json": { schema } } };
}

export function jsonBody<S extends z.ZodType>(schema: S) {
  return { required: true, content: { "application/json": { schema } } };
}

const refusal = (description: string) => json(errorBody, description);

/** The refusals that any route behind a token can answer with; a route adds its own. */
export const refusals = {
  400: refusal("The request is malformed; `issues` names the places."),
  401: refusal("No token, or one that is unknown, has expired or was revoked."),
  403: refusal("The token does not allow this."),
  429: refusal("Too many requests or streams at once."),
  503: refusal("The server cannot do this now."),
} as const;

/** @param what e.g. `service` */
export const notFound = (what: string) => ({ 404: refusal(`There is no such ${what}.`) }) as const;

export const changeRefusals = {
  ...refusals,
  409: refusal("What it is about is in a state that does not allow this."),
  413: refusal("The body is too large."),
  422: refusal("The configuration is invalid, or the idempotency key was used for another request."),
} as const;

/** Named in the OpenAPI document; the middleware in auth.ts does the work. */
export const bearerAuth = [{ bearer: [] }];
