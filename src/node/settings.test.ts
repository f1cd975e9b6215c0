import { describe, expect, test } from "vitest";
import { NO_IMAGES } from "../adapters/index.ts";
import { DirectNetworks } from "./direct/networks.ts";
import { serverSettings } from "./settings.ts";

const NO_DIRECT_WAY = DirectNetworks.parse("", "");
const HOME = "/home/ada";

describe("server settings", () => {
  test("without flags and variables: under the user's home, on loopback", () => {
    expect(serverSettings({}, {}, HOME)).toEqual({
      dataDir: "/home/ada/.local/share/headrace",
      remote: null,
      host: "127.0.0.1",
      port: 3000,
      key: null,
      keyFile: "/home/ada/.config/headrace/key",
      direct: NO_DIRECT_WAY,
      nodeUrl: null,
      images: NO_IMAGES,
    });
  });

  test("variables take the place of defaults", () => {
    const env = {
      HEADRACE_DATA_DIR: "/srv/headrace",
      HEADRACE_LISTEN_HOST: "0.0.0.0",
      HEADRACE_LISTEN_PORT: "8080",
      HEADRACE_KEY: "secret",
      HEADRACE_KEY_FILE: "/etc/headrace/key",
      HEADRACE_IMAGE_BASE: "python:3.12",
    };
    expect(serverSettings({}, env, HOME)).toEqual({
      dataDir: "/srv/headrace",
      remote: null,
      host: "0.0.0.0",
      port: 8080,
      key: "secret",
      keyFile: "/etc/headrace/key",
      direct: NO_DIRECT_WAY,
      nodeUrl: null,
      images: { ...NO_IMAGES, base: "python:3.12" },
    });
  });

  test("flags take the place of both", () => {
    const env = {
      HEADRACE_DATA_DIR: "/no",
      HEADRACE_LISTEN_HOST: "no",
      HEADRACE_LISTEN_PORT: "1",
      HEADRACE_KEY_FILE: "/no",
    };
    const flags = { dataDir: "/data", host: "::1", port: 0, keyFile: "/key" };
    expect(serverSettings(flags, env, HOME)).toEqual({
      dataDir: "/data",
      remote: null,
      host: "::1",
      port: 0,
      key: null,
      keyFile: "/key",
      direct: NO_DIRECT_WAY,
      nodeUrl: null,
      images: NO_IMAGES,
    });
  });

  test("the XDG folders are used, and a relative one is ignored as their rules say", () => {
    const { dataDir, keyFile } = serverSettings({}, { XDG_DATA_HOME: "/data", XDG_CONFIG_HOME: "config" }, HOME);
    expect({ dataDir, keyFile }).toEqual({ dataDir: "/data/headrace", keyFile: "/home/ada/.config/headrace/key" });
  });

  test("an empty variable counts as unset, a relative path as seen from here", () => {
    const { port, dataDir } = serverSettings({ dataDir: "state" }, { HEADRACE_LISTEN_PORT: "" }, HOME);
    expect({ port, dataDir }).toEqual({ port: 3000, dataDir: `${process.cwd()}/state` });
  });

  test("a remote database: its address from flag or variable, its token from the environment alone", () => {
    const env = { HEADRACE_DATABASE_URL: "libsql://env.example", HEADRACE_DATABASE_TOKEN: "t" };
    expect(serverSettings({}, env, HOME).remote).toEqual({ url: "libsql://env.example", token: "t" });
    const flags = { databaseUrl: "libsql://flag.example" };
    expect(serverSettings(flags, env, HOME).remote).toEqual({ url: "libsql://flag.example", token: "t" });
    expect(serverSettings(flags, {}, HOME).remote).toEqual({ url: "libsql://flag.example", token: null });
    expect(serverSettings({ dataDir: "/data" }, env, HOME).remote).toBeNull();
    expect(() => serverSettings({ ...flags, dataDir: "/data" }, {}, HOME)).toThrowError("exclude each other");
  });

  test("where hosts get Node is an address for each kind of machine", () => {
    const from = (HEADRACE_NODE_URL: string) => serverSettings({}, { HEADRACE_NODE_URL }, HOME).nodeUrl;
    expect(from("https://mirror.test/node-linux-{arch}.tgz")).toBe("https://mirror.test/node-linux-{arch}.tgz");
    expect(from("")).toBeNull();
    for (const wrong of ["https://mirror.test/node.tgz", "ftp://mirror.test/{arch}", "https://a b/{arch}"]) {
      expect(() => from(wrong)).toThrowError("HEADRACE_NODE_URL is no address of an archive for each kind of machine");
    }
  });

  test.each(["65536", "-1", "http", "80 ", "1e3", ""])(
    "port %j is refused with its flag and with its variable",
    (port) => {
      expect(() => serverSettings({ port }, {}, HOME)).toThrowError(`--port is "${port}", which is not a port`);
      if (port === "") return;
      expect(() => serverSettings({}, { HEADRACE_LISTEN_PORT: port }, HOME)).toThrowError(
        `HEADRACE_LISTEN_PORT is "${port}", which is not a port`,
      );
    },
  );
});
