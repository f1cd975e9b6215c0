/** The service that keeps the agent up, where systemd runs. */
export const UNIT = "headrace-agent.service";

/**
 * `KillMode=process` and `Delegate=yes`, since jobs outlive their agent, in cgroups that it makes. Both limits are what
 * jobs inherit: registering memory for RDMA locks it, and routers hold a socket for each stream.
 * @param run absolute path of what starts the agent, as systemd reads it in a unit; here a variable of the installation
 */
export function unitFile(run: string): string {
  return `[Unit]
Description=Headrace agent: runs what the control plane gives this host
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=0

[Service]
ExecStart="${run}"
Restart=always
RestartSec=2
KillMode=process
Delegate=yes
TasksMax=infinity
LimitMEMLOCK=infinity
LimitNOFILE=1048576

[Install]
WantedBy=multi-user.target
`;
}
