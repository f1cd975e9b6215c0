import { expect, test } from "vitest";
import type { SshHost } from "../../spec/types-fleet.ts";
import { sshFailure } from "./ssh-failure.ts";

const HOST: SshHost = {
  hostname: "gpu-7",
  port: null,
  user: "ubuntu",
  identityFile: "keys/gpu",
  proxyJump: { hostname: "jump", port: null, user: "j", identityFile: "keys/jump" },
  internalIp: null,
  blocks: null,
};

/** As OpenSSH says it. */
const CHANGED = `@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
Add correct host key in /home/ada/.ssh/known_hosts to get rid of this message.
Offending ED25519 key in /home/ada/.ssh/known_hosts:3
Host key for [gpu-7]:2222 has changed and you have requested strict checking.
Host key verification failed.
`;

test.each([
  [
    CHANGED,
    "the host key of [gpu-7]:2222 is another than the one in /home/ada/.ssh/known_hosts:3. Either it was installed anew, " +
      "or something stands between. If you know that it was: ssh-keygen -R '[gpu-7]:2222', then connect once by hand",
  ],
  [
    "No ED25519 host key is known for jump and you have requested strict checking.\nHost key verification failed.\n",
    "the host key of jump is not known. Connect once by hand and compare it, or give --accept-new-host-keys to trust " +
      "hosts that were never met",
  ],
  ["ubuntu@gpu-7: Permission denied (publickey).\n", "gpu-7 does not let ubuntu in with the key keys/gpu"],
  ["j@jump: Permission denied (publickey).\nConnection closed", "jump does not let j in with the key keys/jump"],
  [
    "ssh: connect to host gpu-7 port 22: Connection refused\r\n",
    "ssh says: ssh: connect to host gpu-7 port 22: Connection refused",
  ],
  ["", "ssh says: nothing"],
])("%j", (said, reason) => {
  expect(sshFailure(said, HOST)).toBe(reason);
});
