import { expect, it } from "vitest";
import { desiredJob } from "./desired.ts";

const process = {
  job: "w-1.0",
  replica: "w-1",
  service: "svc",
  group: "worker",
  role: "worker",
  created: 1,
  phase: { kind: "run" },
  launch: { runtime: "process", image: "python:3.12", shell: "sh", script: "true", env: {}, workingDir: null },
  port: 8000,
  ports: [8000],
  accelerators: [],
  engine: null,
  router: null,
  probes: [],
  behindRouter: false,
  workers: [],
};

it("takes a job from a control plane that knows of no containers and no files", () => {
  expect(desiredJob.parse(process).launch).toMatchObject({ container: null, files: [] });
});

it("takes a container that leaves everything to its image, and none whose command line is empty", () => {
  const container = {
    image: "lmsysorg/sglang:latest",
    registryAuth: null,
    command: { kind: "image" },
    user: null,
    privileged: false,
    shmBytes: null,
    volumes: [],
  };
  const inDocker = (more: object) => ({
    ...process,
    launch: { ...process.launch, runtime: "docker", container: { ...container, ...more } },
  });
  expect(desiredJob.parse(inDocker({})).launch.container).toEqual(container);
  expect(desiredJob.safeParse(inDocker({ command: { kind: "argv", argv: [] } })).success).toBe(false);
});
