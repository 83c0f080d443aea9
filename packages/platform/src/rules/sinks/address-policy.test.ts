import { expect, test } from "vitest";
import { createAddressPolicy } from "./address-policy.ts";

const open = createAddressPolicy({ webhookAllow: [] });
const openHost = "hooks.example.com";

test.each(["93.184.216.34", "8.8.8.8", "2606:4700::1111", "2a00:1450:4001::200e"])("%s is public", (address) => {
  expect(open.isAllowed(openHost, address)).toBe(true);
});

const closedAddresses = [
  "127.0.0.1",
  "127.9.9.9",
  "10.1.2.3",
  "172.16.0.1",
  "172.31.255.255",
  "192.168.1.1",
  "100.64.0.1",
  "198.18.0.1",
  "::1",
  "fc00::1",
  "fd12::1",
];
test.each(closedAddresses)("%s is refused by default and can be allowed", (address) => {
  expect(open.isAllowed(openHost, address)).toBe(false);
  expect(createAddressPolicy({ webhookAllow: [address] }).isAllowed(openHost, address)).toBe(true);
});

const neverAddresses = [
  "0.0.0.0",
  "169.254.169.254",
  "100.100.100.200",
  "224.0.0.1",
  "255.255.255.255",
  "::",
  "fe80::1",
  "fe80::1%eth0",
  "ff02::1",
  "::ffff:127.0.0.1",
  "::ffff:8.8.8.8",
  "fd00:ec2::254",
  "",
  "nonsense",
];
test.each(neverAddresses)("%s is refused whatever is allowed", (address) => {
  const wide = createAddressPolicy({ webhookAllow: ["0.0.0.0/0", "::/0", openHost] });
  expect(wide.isAllowed(openHost, address)).toBe(false);
});

test("an allowed CIDR opens its range only", () => {
  const policy = createAddressPolicy({ webhookAllow: ["10.0.0.0/8"] });
  expect(policy.isAllowed(openHost, "10.200.0.1")).toBe(true);
  expect(policy.isAllowed(openHost, "192.168.0.1")).toBe(false);
});

test("an allowed name opens private addresses for that name only, in any case", () => {
  const policy = createAddressPolicy({ webhookAllow: ["Hooks.example.com"] });
  expect(policy.isAllowed("hooks.EXAMPLE.com.", "10.0.0.1")).toBe(true);
  expect(policy.isAllowed("other.example.com", "10.0.0.1")).toBe(false);
});

test.each(["http://x", "10.0.0.0/33", "10.0.0.0/x", "a b", "", "10.0.0.0/8/8", "fe80::/200"])("refuses the entry %j", (entry) => {
  expect(() => createAddressPolicy({ webhookAllow: [entry] })).toThrow(RangeError);
});
