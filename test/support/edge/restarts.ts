/** Names the object that the Worker shall restart: a project, or a project and its host with a slash between. */
export const RESTARTED_HEADER = "x-restarted-object";
