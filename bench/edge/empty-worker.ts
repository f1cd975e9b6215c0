/** What a start costs whatever the Worker is: it has the names that the configuration asks for, and says ok. */
export class ProjectObject {}
export class LinkObject {}
export default { fetch: () => new Response("ok") };
